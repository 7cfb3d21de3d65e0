/*
 * Reading manifests: both languages, lists, anchors, positions, limits, and hostile input.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manifest_text.h"

#define BUDGET 1000000

static void assert_objects(const char *text, const char *expected)
{
    struct manifest_text manifest = manifest_text_good(text);
    g_autoptr(GString) found = g_string_new(NULL);

    for (guint i = 0; i < manifest.objects->len; i++) {
        const struct object *object = manifest.objects->pdata[i];
        g_autofree char *description = object_describe(object);

        assert_int_equal(object->document, i);
        g_string_append_printf(found, "%s%s@%u:%u", i > 0 ? ", " : "", description, object->line,
                               object->column);
    }
    assert_string_equal(found->str, expected);
    manifest_text_free(&manifest);
}

static struct manifest_text read_all(const char *text, size_t length)
{
    return manifest_text_read(text, length, 0, BUDGET);
}

/* The file is bad, for this reason, there. */
static void assert_bad_at(const char *text, size_t length, const char *rule, unsigned line,
                          unsigned column)
{
    struct manifest_text manifest = read_all(text, length);
    const struct diagnostic *last;

    assert_int_equal(manifest.result, MANIFEST_BAD);
    assert_int_equal(manifest.objects->len, 0);
    assert_true(manifest.diagnostics->len > 0);
    last = manifest.diagnostics->pdata[manifest.diagnostics->len - 1];
    assert_string_equal(last->rule, rule);
    assert_int_equal(last->severity, DIAGNOSTIC_ERROR);
    if (line > 0) {
        assert_int_equal(last->line, line);
        assert_int_equal(last->column, column);
    }
    manifest_text_free(&manifest);
}

static void assert_bad(const char *text, const char *rule, unsigned line, unsigned column)
{
    assert_bad_at(text, strlen(text), rule, line, column);
}

#define NAMESPACE_JSON(name)                                                                       \
    "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"" name "\"}}"
#define NAMESPACE(name) "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: " name "\n"

static void documents(void **state)
{
    (void)state;
    assert_objects("", "");
    assert_objects("\n\n# nothing\n", "");
    assert_objects("---\n---\n...\n---\n", "");
    assert_objects(NAMESPACE("a"), "Namespace a@1:1");
    assert_objects("# x\n---\n" NAMESPACE("a") "---\n" NAMESPACE("b") "...\n",
                   "Namespace a@3:1, Namespace b@8:1");
    assert_objects("%YAML 1.1\n---\n" NAMESPACE("a"), "Namespace a@3:1");
    assert_objects("apiVersion: v1\r\nkind: Namespace\r\nmetadata:\r\n  name: a\r\n",
                   "Namespace a@1:1");
    assert_objects("{apiVersion: v1, kind: Namespace, metadata: {name: a}}", "Namespace a@1:1");
    assert_objects("  \n " NAMESPACE_JSON("a"), "Namespace a@2:2");
    assert_objects("\xef\xbb\xbf" NAMESPACE("a"), "Namespace a@1:1");
    assert_objects("\xef\xbb\xbf" NAMESPACE_JSON("a"), "Namespace a@1:1");
    assert_objects("plain text\n", "");
    assert_objects("- apiVersion: v1\n  kind: Namespace\n  metadata: {name: a}\n", "");
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
    manifest = read_all(bytes, n);
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
    assert_objects(long_key, "Namespace a@1:1");
    assert_objects(NAMESPACE_JSON("a") "\n" NAMESPACE_JSON("b") NAMESPACE_JSON("c"),
                   "Namespace a@1:1, Namespace b@2:1, Namespace c@2:69");
    assert_objects("{\t\"apiVersion\":\t\"v1\",\n\t\"kind\":\t\"List\",\n\t\"items\": [\n\t\t" //
                   NAMESPACE_JSON("a") ",\n\t\t" NAMESPACE_JSON("b") "]}",
                   "Namespace a@4:3, Namespace b@5:3");
    assert_objects("{}", "");
    assert_bad("{\"apiVersion\": \"v1\",\n  \"kind\" \"Service\"}", "syntax", 2, 10);
    assert_bad("{\"apiVersion\": \"v1\"", "syntax", 0, 0);
    assert_bad("{\"a\": \"\xff\"}", "syntax", 1, 7);
    assert_bad("{\"a\": \"x\ny\"}", "syntax", 0, 0);
    assert_bad(NAMESPACE_JSON("a") "\n]", "syntax", 2, 1);
}

#define ELEMENT(name) "- apiVersion: v1\n  kind: Namespace\n  metadata: {name: " name "}\n"

static void lists(void **state)
{
    (void)state;
    assert_objects("apiVersion: v1\nitems:\n" ELEMENT("a") ELEMENT("b") "kind: List\n",
                   "Namespace a@3:3, Namespace b@6:3");
    assert_objects("apiVersion: v1\nkind: NamespaceList\nitems:\n- metadata: {name: a}\n"
                   "- metadata: {name: b}\n",
                   "Namespace a@4:3, Namespace b@5:3");
    /* the kind comes last: everything waits for it, in order */
    assert_objects("apiVersion: v1\nitems:\n- metadata: {name: a}\n" ELEMENT(
                       "b") "- metadata: {name: c}\nkind: NamespaceList\n",
                   "Namespace a@3:3, Namespace b@4:3, Namespace c@7:3");
    assert_objects("apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n"
                   "  - apiVersion: v1\n    kind: List\n    items:\n"
                   "    - {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
                   "  - {apiVersion: v1, kind: Namespace, metadata: {name: b}}\nkind: List\n"
                   "---\n" NAMESPACE("c"),
                   "Namespace a@9:7, Namespace b@10:5, Namespace c@13:1");
    assert_objects("apiVersion: v1\nkind: List\nitems: []\n", "");
    assert_objects("apiVersion: v1\nkind: List\nitems: null\n", "");
    assert_objects("apiVersion: v1\nkind: List\nitems: [1, null, [], x]\n", "");
    /* not Kubernetes' list */
    assert_objects("items:\n" ELEMENT("a") "---\n" NAMESPACE("b"), "Namespace b@6:1");
    assert_objects("kind: List\nitems:\n" ELEMENT("a"), "");
    assert_objects("apiVersion: v1\nkind: Secret\ndata:\n  items: |\n    apiVersion: v1\n"
                   "    kind: Service\n    metadata: {name: a}\n",
                   "");
}

static void only_what_counts(void **state)
{
    (void)state;
    assert_objects("apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n", "");
    assert_objects("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: |\n    "
                   "apiVersion: v1\n    kind: Service\n",
                   "");
    assert_objects("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n"
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
    assert_warning("apiVersion: v1\nkind: Deployment\nmetadata: {name: a}\n", "no-such-kind");
    assert_warning("apiVersion: apps/v1\nkind: Service\nmetadata: {name: a}\n", "no-such-kind");
    assert_warning("apiVersion: v1\nkind: Service\nmetadata: {}\n", "no-name");
    assert_warning("apiVersion: v1\nkind: Service\n", "no-name");
    assert_warning("apiVersion: v1\nkind: Service\nmetadata: {generateName: a-}\n", "no-name");
    assert_warning("apiVersion: template.openshift.io/v1\nkind: Template\nobjects:\n"
                   "- {apiVersion: v1, kind: Service, metadata: {name: '${X}'}}\n",
                   "openshift-template");
}

static void generated_names(void **state)
{
    (void)state;
    assert_objects("apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}\n---\n"
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
    assert_left_out("[a]", "wrong-type");
    assert_left_out("${NAME}-x", "unresolved-variable");
    assert_left_out("\"{{ .Release.Name }}\"", "template");
    assert_objects("apiVersion: v1\nkind: Service\nmetadata: {name: \"1234\"}\n",
                   "Service default/1234@1:1");
    assert_objects("apiVersion: v1\nkind: Service\nmetadata: {name: !!str 1234}\n",
                   "Service default/1234@1:1");
    assert_objects("apiVersion: v1\nkind: Service\nmetadata: {name: y}\n", "Service default/y@1:1");
    assert_objects("apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: Bad}\n", "");
    assert_objects("apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: ''}\n",
                   "Service default/a@1:1");
    assert_objects("apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: ~}\n",
                   "Service default/a@1:1");
}

static void anchors(void **state)
{
    (void)state;
    assert_objects("apiVersion: &v v1\nkind: List\nitems:\n"
                   "- &first\n  apiVersion: *v\n  kind: Namespace\n  metadata: &m {name: a}\n"
                   "- {apiVersion: *v, kind: Pod, metadata: *m}\n"
                   "- {<<: *first, kind: Service}\n"
                   "- {<<: [{kind: Job}, *first], apiVersion: batch/v1}\n"
                   "- *first\n",
                   "Namespace a@4:3, Pod default/a@8:3, Service default/a@9:3, "
                   "Job default/a@10:3, Namespace a@11:3");
    /* explicit keys win wherever they stand */
    assert_objects("x: &x {kind: Pod, apiVersion: v2}\nkind: Namespace\n<<: *x\n"
                   "apiVersion: v1\nmetadata: {name: a}\n",
                   "Namespace a@1:1");
    assert_objects("items: &l\n" ELEMENT("a") "again: *l\nkind: List\napiVersion: v1\n",
                   "Namespace a@2:3");
    assert_objects("x: &i\n" ELEMENT("a") "items: *i\nkind: List\napiVersion: v1\n",
                   "Namespace a@2:3");
    assert_objects("&k apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {*k : b}}\n",
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
                           "  clusterIP: 10.0.0.1\n  clusterIP: 10.0.0.2\n");
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
        struct manifest_text manifest = read_all(texts[i], strlen(texts[i]));

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
    assert_bad("a: \xff\n", "syntax", 0, 0);
    assert_bad("? {a: b}\n: c\n", "syntax", 1, 3);
    assert_bad("%YAML 2.0\n---\na: b\n", "syntax", 0, 0);
}

/* --- Limits and hostile input --------------------------------------------------------------------
 */

static GString *repeat(const char *text, size_t n)
{
    GString *string = g_string_new(NULL);

    for (size_t i = 0; i < n; i++)
        g_string_append(string, text);
    return string;
}

static void depth(void **state)
{
    g_autoptr(GString) open = repeat("[", 100000);
    g_autoptr(GString) maps = repeat("{\"a\":", 100000);
    g_autoptr(GString) good = repeat("[", 60);
    g_autoptr(GString) lines = g_string_new("a:\n");

    (void)state;
    g_string_prepend(open, "a: ");
    assert_bad_at(open->str, open->len, "too-deep", 1, 67);
    assert_bad_at(maps->str, maps->len, "too-deep", 1, 321);
    for (int i = 1; i < 2000; i++)
        g_string_append_printf(lines, "%*sa:\n", i, "");
    assert_bad_at(lines->str, lines->len, "too-deep", 65, 65);
    g_string_prepend(good, "x: ");
    for (int i = 0; i < 60; i++)
        g_string_append_c(good, ']');
    assert_objects(good->str, "");
    /* also where no tree is made */
    g_string_erase(open, 0, 3);
    assert_bad_at(open->str, open->len, "too-deep", 1, 65);
}

static void long_texts(void **state)
{
    static const char *const starts[] = {"a: ", "a: '",       "a: \"", "a: |\n  ", "a: >\n  ", "? ",
                                         "# ",  "{\"a\": \"", "{\"",   "a: &",     "a: !",     "{"};
    g_autofree char *mebi = g_strnfill(1 << 20, 'x'), *many = g_strnfill(10 << 20, 'x');
    g_autofree char *blank = g_strnfill(10 << 20, ' ');
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
        gint64 begin = g_get_monotonic_time();
        struct manifest_text manifest;

        g_string_assign(text, starts[i]);
        g_string_append(text, many);
        manifest = read_all(text->str, text->len);
        assert_int_equal(manifest.result, MANIFEST_BAD);
        assert_true(g_get_monotonic_time() - begin < 20 * G_USEC_PER_SEC);
        manifest_text_free(&manifest);
    }
    g_string_printf(text, "a: %s\n", mebi);
    assert_objects(text->str, "");
    g_string_printf(text, "a: %sy\n", mebi);
    assert_bad(text->str, "too-long", 1, 4);
    g_string_printf(text, "{\"a\": \"%s\"}", mebi);
    assert_objects(text->str, "");
    g_string_printf(text, "{\"a\": \"%sy\"}", mebi);
    assert_bad(text->str, "too-long", 1, 7);
    g_string_printf(text, "{%s}", blank);
    assert_bad(text->str, "too-long", 0, 0);
}

/* libyaml compares each directive with all before it. */
static void directives(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    gint64 begin = g_get_monotonic_time();

    (void)state;
    for (unsigned i = 0; i < 200000; i++)
        g_string_append_printf(text, "%%TAG !a%u! x\n", i);
    assert_bad_at(text->str, text->len, "too-long", 0, 0);
    g_string_prepend(text, NAMESPACE("a") "...\n");
    assert_bad_at(text->str, text->len, "too-long", 0, 0);
    for (gsize i = 0; i < text->len; i++)
        if (text->str[i] == '\n')
            text->str[i] = '\r';
    assert_bad_at(text->str, text->len, "too-long", 0, 0);
    assert_true(g_get_monotonic_time() - begin < 20 * G_USEC_PER_SEC);

    /* comments may be long */
    g_string_truncate(text, 0);
    for (int i = 0; i < 20000; i++)
        g_string_append(text, "# commented out for now\n");
    g_string_append(text, NAMESPACE("a"));
    assert_objects(text->str, "Namespace a@20001:1");
}

static void alias_bombs(void **state)
{
    g_autoptr(GString) laughs = g_string_new("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    g_autoptr(GString) merges = g_string_new("a0: &a0 {a: b, c: d, e: f}\n");
    g_autoptr(GString) pods = g_string_new("apiVersion: v1\nkind: List\nx: &c\n");
    gint64 begin = g_get_monotonic_time();

    (void)state;
    for (int i = 1; i < 40; i++)
        g_string_append_printf(laughs, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i,
                               i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_bad_at(laughs->str, laughs->len, "alias-expansion", 0, 0);
    for (int i = 1; i < 40; i++)
        g_string_append_printf(merges, "a%d: &a%d {<<: [*a%d, *a%d, *a%d]}\n", i, i, i - 1, i - 1,
                               i - 1);
    assert_bad_at(merges->str, merges->len, "alias-expansion", 0, 0);
    for (int i = 0; i < 2000; i++)
        g_string_append(pods, "- ports: [{containerPort: 80}]\n");
    g_string_append(pods, "items:\n");
    for (int i = 0; i < 20000; i++)
        g_string_append(pods, "- {apiVersion: v1, kind: Pod, metadata: {name: a}, "
                              "spec: {containers: *c}}\n");
    assert_bad_at(pods->str, pods->len, "alias-expansion", 0, 0);
    assert_true(g_get_monotonic_time() - begin < 20 * G_USEC_PER_SEC);
}

static void many_problems(void **state)
{
    g_autoptr(GString) text =
        repeat("---\napiVersion: v1\nkind: Service\nmetadata: {name: A}\n", 3000);
    struct manifest_text manifest = manifest_text_good(text->str);

    (void)state;
    assert_int_equal(manifest.diagnostics->len, 1001);
    assert_non_null(manifest_text_rule(&manifest, "too-many"));
    manifest_text_free(&manifest);
}

/* A list whose kind comes last, and a file that turns out to be bad late: both are worked off in
 * small steps. */
static void long_lists(void **state)
{
    g_autoptr(GString) text = g_string_new("apiVersion: v1\nitems:\n");
    struct manifest_text manifest;

    (void)state;
    for (int i = 0; i < 5000; i++)
        g_string_append_printf(text, "- metadata: {name: n%d}\n", i);
    g_string_append(text, "kind: NamespaceList\n");
    manifest = manifest_text_read(text->str, text->len, 0, 0);
    assert_int_equal(manifest.result, MANIFEST_DONE);
    assert_int_equal(manifest.objects->len, 5000);
    for (guint i = 0; i < manifest.objects->len; i++) {
        const struct object *object = manifest.objects->pdata[i];

        assert_int_equal(object->line, i + 3);
    }
    manifest_text_free(&manifest);

    g_string_append(text, "---\n{\n");
    manifest = manifest_text_read(text->str, text->len, 0, 0);
    assert_int_equal(manifest.result, MANIFEST_BAD);
    assert_int_equal(manifest.objects->len, 0);
    manifest_text_free(&manifest);

    g_string_assign(text, "{\"apiVersion\": \"v1\", \"items\": [");
    for (int i = 0; i < 500; i++)
        g_string_append_printf(text, "%s{\"metadata\": {\"name\": \"n%d\"}}", i > 0 ? "," : "", i);
    g_string_append(text, "], \"kind\": \"NamespaceList\"}");
    g_string_append(text, text->str);
    manifest = manifest_text_read(text->str, text->len, 0, 0);
    assert_int_equal(manifest.result, MANIFEST_DONE);
    assert_int_equal(manifest.objects->len, 1000);
    manifest_text_free(&manifest);
}

static ssize_t failing(void *userdata, void *buffer, size_t size)
{
    (void)userdata;
    (void)buffer;
    (void)size;
    return -EIO;
}

static ssize_t endless(void *userdata, void *buffer, size_t size)
{
    (void)userdata;
    memset(buffer, '#', size);
    return (ssize_t)size;
}

static int read_from(manifest_input input, uint64_t max_size, GPtrArray **diagnostics)
{
    const struct manifest_options options = {"default", max_size};
    struct source *source = source_new("/x", 0, true);
    struct manifest_reader *reader = manifest_reader_new(source, &options, input, NULL);
    int r;

    do {
        r = manifest_reader_step(reader, 1000);
    } while (r == MANIFEST_MORE);
    *diagnostics = manifest_reader_take_diagnostics(reader);
    manifest_reader_free(reader);
    source_unref(source);
    return r;
}

static void inputs(void **state)
{
    GPtrArray *diagnostics;
    const struct diagnostic *only;

    (void)state;
    assert_int_equal(read_from(failing, 1000, &diagnostics), -EIO);
    g_ptr_array_unref(diagnostics);
    assert_int_equal(read_from(endless, 1 << 20, &diagnostics), MANIFEST_BAD);
    assert_int_equal(diagnostics->len, 1);
    only = diagnostics->pdata[0];
    assert_string_equal(only->rule, "too-large");
    g_ptr_array_unref(diagnostics);
}

static const char sample[] =
    "# a comment\n%YAML 1.1\n---\napiVersion: v1\nkind: List\nitems:\n"
    "- &s\n  apiVersion: v1\n  kind: Service\n  metadata: {name: a, labels: {x: \"y\\u00e4\"}}\n"
    "  spec:\n    clusterIP: None\n    ports: [{port: 80, targetPort: http}]\n"
    "    selector: {app: 'it''s'}\n"
    "- <<: *s\n  metadata: {name: b}\n"
    "- {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: w},\n"
    "   spec: {replicas: 0x2, serviceName: a, template: {metadata: {labels: {app: x}}}}}\n"
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: e\n"
    "  labels: {kubernetes.io/service-name: a}\naddressType: IPv4\n"
    "endpoints:\n- addresses: [10.0.0.1]\n  hostname: h\n  conditions: {ready: yes}\n"
    "---\n{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"p\"},\n"
    " \"status\": {\"podIP\": \"10.0.0.9\", \"phase\": \"Running\"}}\n";

static const char json_sample[] =
    "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n"
    " {\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": "
    "\"a\\ud83d\\ude00\"},\n"
    "  \"spec\": {\"clusterIP\": \"10.0.0.1\", \"ports\": [{\"port\": 80}]}},\n"
    " {\"apiVersion\": \"v1\", \"kind\": \"Endpoints\", \"metadata\": {\"name\": \"b\"},\n"
    "  \"subsets\": [{\"addresses\": [{\"ip\": \"10.0.0.2\", \"hostname\": \"h\"}], \"ports\": "
    "null}]}\n"
    "]}\n";

/* A YAML file that is cut off is often valid, so that its beginning counts; JSON never is. Whatever
 * is cut where: no crash, and what was complete before the cut is as in the whole. */
static void truncation(void **state)
{
    struct manifest_text whole = manifest_text_good(sample);

    (void)state;
    assert_int_equal(whole.objects->len, 5);
    assert_int_equal(whole.diagnostics->len, 0);
    for (size_t n = 0; n < sizeof sample - 1; n++) {
        struct manifest_text cut = read_all(sample, n);

        assert_true(cut.result == MANIFEST_DONE || cut.result == MANIFEST_BAD);
        assert_true(cut.objects->len <= whole.objects->len);
        for (guint i = 0; cut.objects->len > 0 && i < cut.objects->len - 1; i++)
            assert_true(object_equal(cut.objects->pdata[i], whole.objects->pdata[i]));
        manifest_text_free(&cut);
    }
    manifest_text_free(&whole);
    for (size_t n = 1; n < sizeof json_sample - 2; n++) {
        struct manifest_text cut = read_all(json_sample, n);

        assert_int_equal(cut.result, MANIFEST_BAD);
        manifest_text_free(&cut);
    }
}

static void assert_same(const struct manifest_text *a, const struct manifest_text *b)
{
    assert_int_equal(a->result, b->result);
    assert_int_equal(a->objects->len, b->objects->len);
    assert_int_equal(a->diagnostics->len, b->diagnostics->len);
    for (guint i = 0; i < a->objects->len; i++) {
        const struct object *x = a->objects->pdata[i], *y = b->objects->pdata[i];

        assert_true(object_equal(x, y));
        assert_int_equal(x->line, y->line);
        assert_int_equal(x->column, y->column);
    }
    for (guint i = 0; i < a->diagnostics->len; i++)
        assert_true(diagnostic_equal(a->diagnostics->pdata[i], b->diagnostics->pdata[i]));
}

/* However the bytes arrive, and however often the reader is interrupted: the same comes out. */
static void pieces(void **state)
{
    static const char *const texts[] = {sample, json_sample,
                                        "{\"apiVersion\": \"v1\",\n \"kind\": \"Service\",\n"
                                        " \"metadata\": {\"name\":   1234\n}}",
                                        "{\"a\": \n  12345x}"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct manifest_text whole = read_all(texts[i], strlen(texts[i]));

        for (size_t piece = 1; piece < 40; piece++) {
            struct manifest_text parts = manifest_text_read(texts[i], strlen(texts[i]), piece, 0);

            assert_same(&whole, &parts);
            manifest_text_free(&parts);
        }
        manifest_text_free(&whole);
    }
}

/* Mutations with a fixed seed: the sanitizers look on. */
static void mutations(void **state)
{
    static const char odd[] = "{}[]:,-#&*!|>'\"%@`? \n\t\r\\<.~0=\xff\xc3\x00";

    (void)state;
    srand(20);
    for (int round = 0; round < 6000; round++) {
        const char *base = round % 3 == 0 ? json_sample : sample;
        size_t length = strlen(base);
        g_autofree char *text = g_memdup2(base, length);
        struct manifest_text manifest;

        for (int n = rand() % 6; n >= 0; n--) {
            size_t at = (size_t)rand() % length, from = (size_t)rand() % length;

            size_t most = (size_t)rand() % 60;

            if (rand() % 2)
                text[at] = odd[(size_t)rand() % (sizeof odd - 1)];
            else
                memmove(text + at, text + from, MIN(most, length - MAX(at, from)));
        }
        manifest = read_all(text, length);
        assert_true(manifest.result == MANIFEST_DONE || manifest.result == MANIFEST_BAD);
        assert_true(manifest.result == MANIFEST_DONE || manifest.diagnostics->len > 0);
        manifest_text_free(&manifest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),
        cmocka_unit_test(utf16),
        cmocka_unit_test(json),
        cmocka_unit_test(lists),
        cmocka_unit_test(only_what_counts),
        cmocka_unit_test(near_misses),
        cmocka_unit_test(generated_names),
        cmocka_unit_test(bad_names),
        cmocka_unit_test(anchors),
        cmocka_unit_test(repeated_fields),
        cmocka_unit_test(templates),
        cmocka_unit_test(syntax_errors),
        cmocka_unit_test(depth),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(directives),
        cmocka_unit_test(alias_bombs),
        cmocka_unit_test(many_problems),
        cmocka_unit_test(long_lists),
        cmocka_unit_test(inputs),
        cmocka_unit_test(truncation),
        cmocka_unit_test(pieces),
        cmocka_unit_test(mutations),
    };

    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
