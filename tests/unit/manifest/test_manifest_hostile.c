/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits of the manifest reader, and hostile input: nothing crashes, takes long or is half
 * believed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/manifest/decode.h"
#include "tests/unit/manifest_text.h"

#define NAMESPACE(name) "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: " name "\n"

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
    g_autoptr(GString) good = repeat("[", 999);
    g_autoptr(GString) lines = g_string_new("a:\n");

    (void)state;
    g_string_prepend(open, "a: ");
    manifest_text_assert_bad(open->str, open->len, "too-deep", 1, 1003);
    manifest_text_assert_bad(maps->str, maps->len, "too-deep", 1, 5001);
    for (int i = 1; i < 2000; i++)
        g_string_append_printf(lines, "%*sa:\n", i, "");
    manifest_text_assert_bad(lines->str, lines->len, "too-deep", 1001, 1001);
    g_string_prepend(good, "x: ");
    for (int i = 0; i < 999; i++)
        g_string_append_c(good, ']');
    manifest_text_assert_objects(good->str, "");
    /* also where no tree is made */
    g_string_erase(open, 0, 3);
    manifest_text_assert_bad(open->str, open->len, "too-deep", 1, 1001);
}

static void long_texts(void **state)
{
    static const char *const starts[] = {"a: ",      "a: '", "a: \"",      "a: |\n  ",
                                         "a: >\n  ", "? ",   "{\"a\": \"", "{\"",
                                         "a: &",     "a: !", "{"};
    g_autofree char *many = g_strnfill(10 << 20, 'x');
    g_autofree char *blank = g_strnfill(10 << 20, ' ');
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
        clock_t begin = clock(); /* what others do meanwhile does not count */
        struct manifest_text manifest;

        g_string_assign(text, starts[i]);
        g_string_append(text, many);
        manifest = manifest_text_all(text->str, text->len);
        assert_int_equal(manifest.result, MANIFEST_BAD);
        assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
        manifest_text_free(&manifest);
    }
    g_string_printf(text, "{%s}", blank);
    manifest_text_assert_bad(text->str, text->len, "too-long", 0, 0);
}

/* A text that is too long for a name is skipped, not kept: more of them than an object's memory
 * limit allows do no harm. Where a name is read it is an error of its field alone. */
static void omitted_texts(void **state)
{
    g_autofree char *secret = g_strnfill(7 << 20, 'A'), *label = g_strnfill(300 << 10, 'x');
    g_autoptr(GString) yaml = g_string_new("apiVersion: v1\nkind: Secret\n"
                                           "metadata: {name: s}\ndata:\n");
    g_autoptr(GString) json = g_string_new("{\"apiVersion\": \"v1\", \"kind\": \"Secret\", "
                                           "\"metadata\": {\"name\": \"s\"}, \"data\": {\"z\": 0");
    struct manifest_text manifest;

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        g_string_append_printf(json, ", \"k%u\": \"%s\"", i, secret);
    g_string_append_printf(yaml, "  k: %s\n  ? %s\n  : &x |\n    %s\n  z: *x\n---\n%s", secret,
                           label, label, NAMESPACE("a"));
    g_string_append(json, "}}\n{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", "
                          "\"metadata\": {\"name\": \"a\"}}");
    manifest_text_assert_objects(yaml->str, "Namespace a@11:1");
    manifest_text_assert_objects(json->str, "Namespace a@2:1");

    g_string_printf(yaml,
                    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n"
                    "  selector:\n    app: %s\n",
                    label);
    manifest = manifest_text_good(yaml->str);
    assert_string_equal(manifest_text_rule(&manifest, "too-long")->message,
                        "a value of selector is longer than 256 KiB; its last good version, if "
                        "any, stays in effect");
    manifest_text_free(&manifest);
}

/* libyaml compares each directive with all before it. */
static void directives(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    clock_t begin = clock();

    (void)state;
    for (unsigned i = 0; i < 200000; i++)
        g_string_append_printf(text, "%%TAG !a%u! x\n", i);
    manifest_text_assert_bad(text->str, text->len, "too-long", 0, 0);
    g_string_prepend(text, NAMESPACE("a") "...\n");
    manifest_text_assert_bad(text->str, text->len, "too-long", 0, 0);
    for (gsize i = 0; i < text->len; i++)
        if (text->str[i] == '\n')
            text->str[i] = '\r';
    manifest_text_assert_bad(text->str, text->len, "too-long", 0, 0);
    assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);

    /* comments may be long */
    g_string_truncate(text, 0);
    for (int i = 0; i < 20000; i++)
        g_string_append(text, "# commented out for now\n");
    g_string_append(text, NAMESPACE("a"));
    manifest_text_assert_objects(text->str, "Namespace a@20001:1");
}

static void alias_bombs(void **state)
{
    g_autoptr(GString) laughs = g_string_new("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    g_autoptr(GString) merges = g_string_new("a0: &a0 {a: b, c: d, e: f}\n");
    g_autoptr(GString) pods = g_string_new("apiVersion: v1\nkind: List\nx: &c\n");
    clock_t begin = clock();

    (void)state;
    for (int i = 1; i < 40; i++)
        g_string_append_printf(laughs, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i,
                               i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    manifest_text_assert_bad(laughs->str, laughs->len, "alias-expansion", 0, 0);
    for (int i = 1; i < 40; i++)
        g_string_append_printf(merges, "a%d: &a%d {<<: [*a%d, *a%d, *a%d]}\n", i, i, i - 1, i - 1,
                               i - 1);
    manifest_text_assert_bad(merges->str, merges->len, "alias-expansion", 0, 0);
    for (int i = 0; i < 2000; i++)
        g_string_append(pods, "- ports: [{containerPort: 80}]\n");
    g_string_append(pods, "items:\n");
    for (int i = 0; i < 20000; i++)
        g_string_append(pods, "- {apiVersion: v1, kind: Pod, metadata: {name: a}, "
                              "spec: {containers: *c}}\n");
    manifest_text_assert_bad(pods->str, pods->len, "alias-expansion", 0, 0);
    assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
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

/* A list whose kind comes last, and a file that turns out to be bad late. */
static void long_lists(void **state)
{
    g_autoptr(GString) text = g_string_new("apiVersion: v1\nitems:\n");
    struct manifest_text manifest;

    (void)state;
    for (int i = 0; i < 5000; i++)
        g_string_append_printf(text, "- metadata: {name: n%d}\n", i);
    g_string_append(text, "kind: NamespaceList\n");
    manifest = manifest_text_all(text->str, text->len);
    assert_int_equal(manifest.result, MANIFEST_DONE);
    assert_int_equal(manifest.objects->len, 5000);
    for (guint i = 0; i < manifest.objects->len; i++) {
        const struct object *object = manifest.objects->pdata[i];

        assert_int_equal(object->line, i + 3);
    }
    manifest_text_free(&manifest);

    g_string_append(text, "---\n{\n");
    manifest = manifest_text_all(text->str, text->len);
    assert_int_equal(manifest.result, MANIFEST_BAD);
    assert_int_equal(manifest.objects->len, 0);
    manifest_text_free(&manifest);

    g_string_assign(text, "{\"apiVersion\": \"v1\", \"items\": [");
    for (int i = 0; i < 500; i++)
        g_string_append_printf(text, "%s{\"metadata\": {\"name\": \"n%d\"}}", i > 0 ? "," : "", i);
    g_string_append(text, "], \"kind\": \"NamespaceList\"}");
    g_string_append(text, text->str);
    manifest = manifest_text_all(text->str, text->len);
    assert_int_equal(manifest.result, MANIFEST_DONE);
    assert_int_equal(manifest.objects->len, 1000);
    manifest_text_free(&manifest);
}

/* One object, or one text, as large as can be. */
static void large_objects(void **state)
{
    g_autoptr(GString) text =
        g_string_new("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
                     "metadata:\n  name: a\n  labels: {kubernetes.io/service-name: a}\n"
                     "  annotations: {text: '");
    g_autofree char *mebi = g_strnfill(1000000, 'x');
    struct manifest_text manifest;

    (void)state;
    g_string_append_printf(text, "%s'}\nendpoints:\n", mebi);
    for (unsigned i = 0; i < 20000; i++)
        g_string_append_printf(text, "- addresses: [10.0.%u.%u]\n", i >> 8, i & 255);
    manifest = manifest_text_all(text->str, text->len);
    assert_int_equal(manifest.result, MANIFEST_DONE);
    assert_int_equal(manifest.objects->len, 1);
    const struct endpoint_slice *slice = manifest.objects->pdata[0];
    assert_int_equal(slice->subsets[0].n, 20000);
    manifest_text_free(&manifest);
}

/* Unreasonable numbers of items are refused, and the rest of the file is not. */
static void too_many(void **state)
{
    g_autoptr(GString) text = g_string_new(NAMESPACE("a") "---\napiVersion: v1\nkind: Pod\n"
                                                          "metadata:\n  name: a\n  labels:\n");
    struct manifest_text manifest;

    (void)state;
    for (unsigned i = 0; i <= DECODE_LABELS_MAX; i++)
        g_string_append_printf(text, "    l%u: x\n", i);
    manifest = manifest_text_all(text->str, text->len);
    assert_int_equal(manifest.result, MANIFEST_DONE);
    assert_int_equal(manifest.objects->len, 2);
    assert_false(manifest_text_find(&manifest, "Pod default/a")->broken);
    assert_non_null(manifest_text_rule(&manifest, "too-many"));
    manifest_text_free(&manifest);

    g_string_assign(text, NAMESPACE("a") "---\napiVersion: v1\nkind: Service\n"
                                         "metadata: {name: a}\nspec:\n  ports:\n");
    for (unsigned i = 0; i <= DECODE_PORTS_MAX; i++)
        g_string_append_printf(text, "  - {name: p%u, port: 1}\n", i);
    manifest = manifest_text_all(text->str, text->len);
    assert_int_equal(manifest.objects->len, 2);
    assert_false(manifest_text_find(&manifest, "Service default/a")->broken);
    assert_string_equal(manifest_text_rule(&manifest, "too-many")->message,
                        "more than 20000 ports; the rest are ignored; the API server rejects it");
    manifest_text_free(&manifest);
}

static ssize_t many_pods(void *userdata, void *buffer, size_t size)
{
    static const char pod[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n";
    unsigned *left = userdata;

    if ((*left)-- == 0)
        return -ECANCELED;
    memcpy(buffer, pod, sizeof pod - 1);
    memset((char *)buffer + sizeof pod - 1, '\n', size - sizeof pod + 1);
    return (ssize_t)size;
}

/* Wherever the input fails, it ends there and says nothing but that. */
static void input_that_fails(void **state)
{
    struct source *source = source_new("/x", 0, true, NULL);

    (void)state;
    for (unsigned pieces = 0; pieces < 20; pieces++) {
        const struct manifest_options options = {.default_namespace = "default",
                                                 .max_size = UINT64_C(1) << 40};
        unsigned left = pieces;
        g_autoptr(GPtrArray) objects = NULL, diagnostics = NULL;

        assert_int_equal(manifest_read(source, &options, many_pods, &left, &objects, &diagnostics),
                         -ECANCELED);
        assert_int_equal(objects->len, 0);
    }
    source_unref(source);
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

static int read_from(input_read input, uint64_t max_size, GPtrArray **diagnostics)
{
    const struct manifest_options options = {.default_namespace = "default", .max_size = max_size};
    struct source *source = source_new("/x", 0, true, NULL);
    g_autoptr(GPtrArray) objects = NULL;
    int r = manifest_read(source, &options, input, NULL, &objects, diagnostics);

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
    "- &s\n  apiVersion: v1\n  kind: Service\n  metadata: {name: a, annotations: {x: "
    "\"y\\u00e4\"}}\n"
    "  spec:\n    clusterIP: None\n    ports: [{port: 80, targetPort: http}]\n"
    "    selector: {app: 'x'}\n    externalIPs: ['it''s']\n"
    "- <<: *s\n  metadata: {name: b}\n"
    "- {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: w},\n"
    "   spec: {replicas: 0x2, serviceName: a, selector: {matchLabels: {app: x}}, template:\n"
    "    {metadata: {labels: {app: x}}, spec: {containers: [{name: c, image: i}]}}}}\n"
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: e\n"
    "  labels: {kubernetes.io/service-name: a}\naddressType: IPv4\n"
    "endpoints:\n- addresses: [10.0.0.1]\n  hostname: h\n  conditions: {ready: yes}\n"
    "---\n{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"p\"},\n"
    " \"spec\": {\"containers\": [{\"name\": \"c\", \"image\": \"i\"}]},\n"
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
        struct manifest_text cut = manifest_text_all(sample, n);

        assert_true(cut.result == MANIFEST_DONE || cut.result == MANIFEST_BAD);
        assert_true(cut.objects->len <= whole.objects->len);
        for (guint i = 0; cut.objects->len > 0 && i < cut.objects->len - 1; i++)
            assert_true(object_equal(cut.objects->pdata[i], whole.objects->pdata[i]));
        manifest_text_free(&cut);
    }
    manifest_text_free(&whole);
    for (size_t n = 1; n < sizeof json_sample - 2; n++) {
        struct manifest_text cut = manifest_text_all(json_sample, n);

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

/* However the bytes arrive: the same comes out. */
static void pieces(void **state)
{
    static const char *const texts[] = {sample, json_sample,
                                        "{\"apiVersion\": \"v1\",\n \"kind\": \"Service\",\n"
                                        " \"metadata\": {\"name\":   1234\n}}",
                                        "{\"a\": \n  12345x}"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct manifest_text whole = manifest_text_all(texts[i], strlen(texts[i]));

        for (size_t piece = 1; piece < 40; piece++) {
            struct manifest_text parts = manifest_text_read(texts[i], strlen(texts[i]), piece);

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
        manifest = manifest_text_all(text, length);
        assert_true(manifest.result == MANIFEST_DONE || manifest.result == MANIFEST_BAD);
        assert_true(manifest.result == MANIFEST_DONE || manifest.diagnostics->len > 0);
        manifest_text_free(&manifest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth),         cmocka_unit_test(long_texts),
        cmocka_unit_test(omitted_texts), cmocka_unit_test(directives),
        cmocka_unit_test(alias_bombs),   cmocka_unit_test(many_problems),
        cmocka_unit_test(long_lists),    cmocka_unit_test(large_objects),
        cmocka_unit_test(too_many),      cmocka_unit_test(input_that_fails),
        cmocka_unit_test(inputs),        cmocka_unit_test(truncation),
        cmocka_unit_test(pieces),        cmocka_unit_test(mutations),
    };

    return cmocka_run_group_tests_name("manifest_hostile", tests, NULL, NULL);
}
