/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading manifests: both languages, lists, anchors, names, positions, templates, syntax errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/manifest_text.h"

static void assert_bad(const char *text, const char *rule, unsigned line, unsigned column)
{
    manifest_text_assert_bad(text, strlen(text), rule, line, column);
}

#define NAMESPACE_JSON(name)                                                                       \
    "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"" name "\"}}"
#define NAMESPACE(name) "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: " name "\n"

static void documents(void **state)
{
    (void)state;
    manifest_text_assert_objects("", "");
    manifest_text_assert_objects("\n\n# nothing\n", "");
    manifest_text_assert_objects("---\n---\n...\n---\n", "");
    manifest_text_assert_objects(NAMESPACE("a"), "Namespace a@1:1");
    manifest_text_assert_objects("# x\n---\n" NAMESPACE("a") "---\n" NAMESPACE("b") "...\n",
                                 "Namespace a@3:1, Namespace b@8:1");
    manifest_text_assert_objects("%YAML 1.1\n---\n" NAMESPACE("a"), "Namespace a@3:1");
    manifest_text_assert_objects("apiVersion: v1\r\nkind: Namespace\r\nmetadata:\r\n  name: a\r\n",
                                 "Namespace a@1:1");
    manifest_text_assert_objects("{apiVersion: v1, kind: Namespace, metadata: {name: a}}",
                                 "Namespace a@1:1");
    manifest_text_assert_objects("  \n " NAMESPACE_JSON("a"), "Namespace a@2:2");
    manifest_text_assert_objects("\xef\xbb\xbf" NAMESPACE("a"), "Namespace a@1:1");
    manifest_text_assert_objects("\xef\xbb\xbf" NAMESPACE_JSON("a"), "Namespace a@1:1");
    manifest_text_assert_objects("plain text\n", "");
}

/* Objects of other kinds make their namespace exist, once for each file. */
static void mentions(void **state)
{
    static const char *const nothing[] = {
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: ''}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: Moon}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: '${NS}'}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: [moon]}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: moon\n",
        "kind: ConfigMap\nmetadata: {name: a, namespace: moon}\n",
        "items:\n- {apiVersion: v1, kind: ConfigMap, metadata: {namespace: moon}}\n",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(nothing); i++)
        manifest_text_assert_objects(nothing[i], "");
    manifest_text_assert_objects(
        "apiVersion: v1\nkind: Secret\nmetadata: {namespace: moon}\n---\n"
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a, namespace: sun}\n"
        "---\napiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {namespace: moon}\n"
        "- metadata: {namespace: mars}\n",
        "other objects moon//test.yaml@1:1, other objects sun//test.yaml"
        "@5:1, other objects mars//test.yaml@13:3");
    manifest_text_assert_objects(
        "items:\n- {apiVersion: v1, kind: Secret, metadata: {namespace: moon}}\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {namespace: moon}\n",
        "other objects moon//test.yaml@4:1");
}

static void utf16(void **state)
{
    const char *text = NAMESPACE("a");
    char bytes[256] = "\xff\xfe";
    size_t n = 2;
    struct manifest_text manifest;

    (void)state;
    for (; *text; text++) {
        bytes[n++] = *text;
        bytes[n++] = '\0';
    }
    manifest = manifest_text_all(bytes, n);
    assert_int_equal(manifest.result, MANIFEST_DONE);
    manifest_text_find(&manifest, "Namespace a");
    manifest_text_free(&manifest);
}

static void json(void **state)
{
    g_autofree char *key = g_strnfill(5000, 'k');
    g_autofree char *long_key = g_strdup_printf(
        "{\"%s\": 1,\n\t\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": "
        "{\"name\": \"a\", \"annotations\": {\"x\": \"\\ud83d\\ude00 \\u00e4\"}}}",
        key);

    (void)state;
    manifest_text_assert_objects(long_key, "Namespace a@1:1");
    manifest_text_assert_objects(NAMESPACE_JSON("a") "\n" NAMESPACE_JSON("b") NAMESPACE_JSON("c"),
                                 "Namespace a@1:1, Namespace b@2:1, Namespace c@2:69");
    manifest_text_assert_objects(
        "{\t\"apiVersion\":\t\"v1\",\n\t\"kind\":\t\"List\",\n\t\"items\": [\n\t\t" //
        NAMESPACE_JSON("a") ",\n\t\t" NAMESPACE_JSON("b") "]}",
        "Namespace a@4:3, Namespace b@5:3");
    manifest_text_assert_objects("{}", "");
    assert_bad("{\"apiVersion\": \"v1\",\n  \"kind\" \"Service\"}", "syntax", 2, 10);
    assert_bad("{\"apiVersion\": \"v1\"", "syntax", 0, 0);
    assert_bad("{\"a\": \"x\ny\": 1}", "syntax", 0, 0);
    /* found to be no JSON when some of its elements have been read: they count once */
    manifest_text_assert_objects(
        "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n" //
        NAMESPACE_JSON("a") ",\n" NAMESPACE_JSON("b") ",\n]}\n---\n" NAMESPACE_JSON("c"),
        "Namespace a@2:1, Namespace b@3:1, Namespace c@6:1");
    assert_bad(NAMESPACE_JSON("a") "\n]", "syntax", 2, 1);
}

#define ELEMENT(name) "- apiVersion: v1\n  kind: Namespace\n  metadata: {name: " name "}\n"

static void lists(void **state)
{
    (void)state;
    manifest_text_assert_objects("apiVersion: v1\nitems:\n" ELEMENT("a")
                                     ELEMENT("b") "kind: List\n",
                                 "Namespace a@3:3, Namespace b@6:3");
    manifest_text_assert_objects(
        "apiVersion: v1\nkind: NamespaceList\nitems:\n- metadata: {name: a}\n"
        "- metadata: {name: b}\n",
        "Namespace a@4:3, Namespace b@5:3");
    /* the kind comes last: everything waits for it, in order */
    manifest_text_assert_objects("apiVersion: v1\nitems:\n- metadata: {name: a}\n" ELEMENT(
                                     "b") "- metadata: {name: c}\nkind: NamespaceList\n",
                                 "Namespace a@3:3, Namespace b@4:3, Namespace c@7:3");
    manifest_text_assert_objects(
        "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n"
        "  - apiVersion: v1\n    kind: List\n    items:\n"
        "    - {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
        "  - {apiVersion: v1, kind: Namespace, metadata: {name: b}}\nkind: List\n"
        "---\n" NAMESPACE("c"),
        "Namespace a@9:7, Namespace b@10:5, Namespace c@13:1");
    manifest_text_assert_objects("apiVersion: v1\nkind: List\nitems: []\n", "");
    manifest_text_assert_objects("apiVersion: v1\nkind: List\nitems: null\n", "");
    manifest_text_assert_objects("apiVersion: v1\nkind: List\nitems: [1, null, [], x]\n", "");
    manifest_text_assert_objects(
        "apiVersion: v1\nkind: Secret\ndata:\n  items: |\n    apiVersion: v1\n"
        "    kind: Service\n    metadata: {name: a}\n",
        "");
}

/* Lists that are no Kubernetes list: objects in them are ignored, but not without a word. */
static void bare_lists(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } told[] = {
        {ELEMENT("a"), 1},
        {"[" NAMESPACE_JSON("a") ",\n" NAMESPACE_JSON("b") "]", 1},
        {"---\n# nothing yet\n- word\n- metadata: {}\n  kind: Pod\n  apiVersion: v1\n", 3},
        {"- &v v1\n- {apiVersion: *v, kind: Pod}\n", 1},
        {"items:\n" ELEMENT("a"), 1},
        {"x: 1\nkind: List\nitems:\n- {}\n" ELEMENT("a"), 1},
        {"x: 1\n---\napiVersion: v1\nitems: [" NAMESPACE_JSON("a") "]\n", 3},
        {"{\"items\": [" NAMESPACE_JSON("a") "]}", 1},
    };
    static const char *const untold[] = {
        "[]",
        "- word\n- [apiVersion, v1, kind, Pod]\n",
        "- {op: add, path: /kind, value: {apiVersion: v1, kind: Pod}}\n", /* a kustomize patch */
        "- - {apiVersion: v1, kind: Pod}\n",
        "- apiVersion: v1\n- kind: Pod\n",
        "- {apiVersion: v1, spec: {kind: Pod}}\n",
        "- {apiVersion: {kind: Pod}, kind: ''}\n",
        "- {? {kind: Pod} : kind, apiVersion: v1}\n",
        "- {apiVersion: kind, x: Pod}\n",
        "objects: [{apiVersion: v1, kind: Pod}]\n", /* values of a chart */
        "items: [{apiVersion: v1}, {kind: Pod}]\n",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(told); i++) {
        g_autofree char *text = g_strconcat(told[i].text, "\n---\n", NAMESPACE("z"), NULL);
        struct manifest_text manifest = manifest_text_good(text);
        const struct diagnostic *warning = manifest_text_rule(&manifest, "bare-list");

        assert_int_equal(manifest.objects->len, 1);
        assert_int_equal(manifest.diagnostics->len, 1);
        assert_non_null(warning);
        assert_int_equal(warning->severity, DIAGNOSTIC_WARNING);
        assert_int_equal(warning->line, told[i].line);
        assert_int_equal(warning->column, 1);
        manifest_text_free(&manifest);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(untold); i++) {
        struct manifest_text manifest = manifest_text_good(untold[i]);

        if (manifest.objects->len + manifest.diagnostics->len > 0)
            fail_msg("%s is not passed over", untold[i]);
        manifest_text_free(&manifest);
    }
}

static void only_what_counts(void **state)
{
    (void)state;
    manifest_text_assert_objects(
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n", "");
    manifest_text_assert_objects(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: |\n    "
        "apiVersion: v1\n    kind: Service\n",
        "");
    manifest_text_assert_objects(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n"
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a.b}\n---\n"
        "apiVersion: extensions/v1beta1\nkind: DaemonSet\nmetadata: {name: c}\n---\n"
        "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: d}\n---\n"
        "apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\n"
        "metadata: {name: e}\n---\n"
        "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: f}\n",
        "Pod default/a@1:1, Deployment default/a.b@5:1, DaemonSet default/c@9:1, "
        "CronJob default/d@13:1, EndpointSlice default/e@17:1, "
        "ReplicationController default/f@21:1");
}

static void assert_warning(const char *text, const char *rule)
{
    struct manifest_text manifest = manifest_text_good(text);

    assert_int_equal(manifest.objects->len, 0);
    assert_int_equal(manifest.diagnostics->len, 1);
    assert_non_null(manifest_text_rule(&manifest, rule));
    manifest_text_free(&manifest);
}

static void near_misses(void **state)
{
    (void)state;
    assert_warning("kind: Service\nmetadata: {name: a}\n", "no-api-version");
    assert_warning("apiVersion: v1\nmetadata: {name: a}\n", "no-kind");
    assert_warning("apiVersion: v1\nKind: Service\nmetadata: {name: a}\n", "no-kind");
    assert_warning("apiVersion: v1\nkind: Deployment\nmetadata: {name: a}\n", "no-such-kind");
    assert_warning("apiVersion: apps/v1\nkind: Service\nmetadata: {name: a}\n", "no-such-kind");
    assert_warning("apiVersion: v1\nkind: Service\nmetadata: {}\n", "no-name");
    assert_warning("apiVersion: v1\nkind: Service\n", "no-name");
    assert_warning("apiVersion: v1\nkind: Service\nmetadata: {generateName: a-}\n", "no-name");
    assert_warning("apiVersion: template.openshift.io/v1\nkind: Template\nobjects:\n"
                   "- {apiVersion: v1, kind: Service, metadata: {name: '${X}'}}\n",
                   "openshift-template");
}

/* Others use apiVersion, too: a chart, a kustomization. */
static void files_of_others(void **state)
{
    static const char *const texts[] = {
        "apiVersion: v1\nname: a\nversion: 1.0.0\n",
        "apiVersion: example.com/v1\nmetadata: {name: a}\n",
        "metadata: {name: a}\nspec: {}\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct manifest_text manifest = manifest_text_good(texts[i]);

        assert_int_equal(manifest.diagnostics->len, 0);
        manifest_text_free(&manifest);
    }
}

static void generated_names(void **state)
{
    (void)state;
    manifest_text_assert_objects(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}\n---\n"
        "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n",
        "Job default/a-0@1:1, Pod default/a-1@5:1");
}

static void assert_left_out(const char *name, const char *rule)
{
    g_autofree char *text = g_strdup_printf("apiVersion: v1\nkind: Service\nmetadata:\n"
                                            "  name: %s\n",
                                            name);
    struct manifest_text manifest = manifest_text_good(text);
    const struct diagnostic *diagnostic = manifest_text_rule(&manifest, rule);

    assert_int_equal(manifest.objects->len, 0);
    assert_int_equal(manifest.diagnostics->len, 1);
    assert_non_null(diagnostic);
    assert_int_equal(diagnostic->severity, DIAGNOSTIC_ERROR);
    assert_int_equal(diagnostic->line, 4);
    assert_int_equal(diagnostic->column, 9);
    manifest_text_free(&manifest);
}

static void bad_names(void **state)
{
    (void)state;
    assert_left_out("front_end", "invalid-name");
    assert_left_out("Front", "invalid-name");
    assert_left_out("a.b", "invalid-name");
    assert_left_out("\"a\\0b\"", "wrong-type");
    assert_left_out("1234", "wrong-type");
    assert_left_out("0x1f", "wrong-type");
    assert_left_out("1e3", "wrong-type");
    assert_left_out("yes", "wrong-type");
    assert_left_out("y", "wrong-type");
    assert_left_out("[a]", "wrong-type");
    assert_left_out("${NAME}-x", "unresolved-variable");
    assert_left_out("\"{{ .Release.Name }}\"", "template");
    manifest_text_assert_objects("apiVersion: v1\nkind: Service\nmetadata: {name: \"1234\"}\n",
                                 "Service default/1234@1:1");
    manifest_text_assert_objects("apiVersion: v1\nkind: Service\nmetadata: {name: !!str 1234}\n",
                                 "Service default/1234@1:1");
    manifest_text_assert_objects("apiVersion: v1\nkind: Service\nmetadata: {name: 'y'}\n",
                                 "Service default/y@1:1");
    manifest_text_assert_objects(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: Bad}\n", "");
    manifest_text_assert_objects(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: ''}\n",
        "Service default/a@1:1");
    manifest_text_assert_objects(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: ~}\n",
        "Service default/a@1:1");
}

static void anchors(void **state)
{
    (void)state;
    manifest_text_assert_objects(
        "apiVersion: &v v1\nkind: List\nitems:\n"
        "- &first\n  apiVersion: *v\n  kind: Namespace\n  metadata: &m {name: a}\n"
        "- {apiVersion: *v, kind: Pod, metadata: *m}\n"
        "- {<<: *first, kind: Service}\n"
        "- {<<: [{kind: Job}, *first], apiVersion: batch/v1}\n"
        "- *first\n",
        "Namespace a@4:3, Pod default/a@8:3, Service default/a@9:3, "
        "Job default/a@10:3, Namespace a@11:3");
    /* the last one wins, as kubectl has it: kind comes before the merge key, apiVersion after */
    manifest_text_assert_objects("x: &x {kind: Pod, apiVersion: v2}\nkind: Namespace\n<<: *x\n"
                                 "apiVersion: v1\nmetadata: {name: a}\n",
                                 "Pod default/a@1:1");
    manifest_text_assert_objects(
        "items: &l\n" ELEMENT("a") "again: *l\nkind: List\napiVersion: v1\n", "Namespace a@2:3");
    manifest_text_assert_objects("x: &i\n" ELEMENT("a") "items: *i\nkind: List\napiVersion: v1\n",
                                 "Namespace a@2:3");
    manifest_text_assert_objects(
        "&k apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {*k : b}}\n",
        "Namespace a@1:1");
    assert_bad("a: 1\nb: *nothing\n", "syntax", 2, 4);
    assert_bad("a: &a {b: *a}\n", "syntax", 1, 11);
    assert_bad("a: &a 1\n---\nb: *a\n", "syntax", 3, 4);
    assert_bad("<<: [1]\n", "syntax", 1, 5);
    assert_bad("<<: x\n", "syntax", 1, 5);
}

static void repeated_fields(void **state)
{
    struct manifest_text manifest =
        manifest_text_good("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n"
                           "  clusterIP: 10.0.0.1\n  clusterIP: 10.0.0.2\n"
                           "  ports: [{port: 80}]\n");
    const struct service *service =
        (const struct service *)manifest_text_find(&manifest, "Service default/a");
    const struct diagnostic *diagnostic = manifest_text_rule(&manifest, "repeated-field");

    (void)state;
    assert_int_equal(manifest.diagnostics->len, 1);
    assert_int_equal(diagnostic->line, 6);
    assert_int_equal(diagnostic->column, 3);
    assert_int_equal(service->cluster_ips.items[0].bytes[15], 2);
    manifest_text_free(&manifest);
}

static void templates(void **state)
{
    static const char *const texts[] = {
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\n",
        "apiVersion: v1\nkind: Service\nmetadata:\n  labels:\n    {{- include \"x\" . }}\n",
        "{{- if .Values.x }}\napiVersion: v1\nkind: Service\n{{- end }}\n",
        "{{ if .Values.x }}{}{{ end }}\n",
        "apiVersion: v1\n{% if x %}\nkind: Service\n{% endif %}\n",
        "{\"apiVersion\": \"v1\", \"spec\": {\"replicas\": {{ n }} }}",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct manifest_text manifest = manifest_text_all(texts[i], strlen(texts[i]));

        assert_int_equal(manifest.result, MANIFEST_BAD);
        assert_int_equal(manifest.diagnostics->len, 1);
        assert_non_null(manifest_text_rule(&manifest, "template"));
        manifest_text_free(&manifest);
    }
    /* a mark elsewhere in the file is not why this line is wrong */
    assert_bad("apiVersion: v1\nkind: ConfigMap\ndata:\n  x: |\n    {{ legend }}\n    a\n    b\n"
               "    c\n  y: |\n    d\n  z: [\n",
               "syntax", 0, 0);
    /* one word for all names of a file */
    struct manifest_text manifest = manifest_text_good(
        "{apiVersion: v1, kind: Pod, metadata: {name: '{{a}}'}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: '{{b}}', namespace: '{{c}}'}}\n");
    assert_int_equal(manifest.diagnostics->len, 1);
    manifest_text_free(&manifest);
}

static void syntax_errors(void **state)
{
    (void)state;
    assert_bad("a: b: c\n", "syntax", 1, 5);
    assert_bad(NAMESPACE("a") "---\na:\n\t- b\n", "syntax", 7, 1);
    assert_bad("a: \"b\n", "syntax", 2, 1);
    assert_bad("a: [1, 2\nb: 3\n", "syntax", 0, 0);
    assert_bad("a: 1\n# \x01\n", "syntax", 2, 3);
    assert_bad("? {a: b}\n: c\n", "syntax", 1, 3);
    assert_bad("%YAML 2.0\n---\na: b\n", "syntax", 0, 0);

    struct manifest_text tab = manifest_text_all("a:\n\t- b\n", 8);
    assert_non_null(strstr(manifest_text_rule(&tab, "syntax")->message, "(a tab; indent with"));
    manifest_text_free(&tab);
    struct manifest_text binary = manifest_text_all("a\xff\n\xff\n\xff\n\x01\xff\n", 10);
    assert_int_equal(binary.diagnostics->len, 2);
    assert_non_null(manifest_text_rule(&binary, "encoding"));
    assert_non_null(manifest_text_rule(&binary, "syntax"));
    manifest_text_free(&binary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),
        cmocka_unit_test(mentions),
        cmocka_unit_test(utf16),
        cmocka_unit_test(json),
        cmocka_unit_test(lists),
        cmocka_unit_test(bare_lists),
        cmocka_unit_test(only_what_counts),
        cmocka_unit_test(near_misses),
        cmocka_unit_test(files_of_others),
        cmocka_unit_test(generated_names),
        cmocka_unit_test(bad_names),
        cmocka_unit_test(anchors),
        cmocka_unit_test(repeated_fields),
        cmocka_unit_test(templates),
        cmocka_unit_test(syntax_errors),
    };

    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
