/*
 * Real manifests of public repositories, if they are there: ../shared/corpus, or KUBESVC_CORPUS.
 * Which Services each file holds was found out by another YAML library (its README.md).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <yajl/yajl_tree.h>

#include "tests/unit/manifest_text.h"

struct corpus {
    char *directory;
    GHashTable *services; /* file -> GPtrArray of "namespace/name" */
    char **files;         /* lines of EXPECT.tsv */
};

static char *read_file(const struct corpus *corpus, const char *name, size_t *length)
{
    g_autofree char *path = g_build_filename(corpus->directory, name, NULL);
    char *text = NULL;

    if (!g_file_get_contents(path, &text, length, NULL))
        fail_msg("cannot read %s", path);
    return text;
}

static const char *get(yajl_val object, const char *key)
{
    return YAJL_GET_STRING(yajl_tree_get(object, (const char *[]){key, NULL}, yajl_t_string));
}

static int compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_service(GHashTable *services, const char *file, const char *namespace,
                        const char *name)
{
    GPtrArray *names = g_hash_table_lookup(services, file);

    if (!names) {
        names = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(services, g_strdup(file), names);
    }
    g_ptr_array_add(names, g_strdup_printf("%s/%s", namespace, name));
}

static void read_services(struct corpus *corpus)
{
    g_autofree char *text = read_file(corpus, "EXPECT-services.jsonl", NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    corpus->services =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    for (char **line = lines; *line && **line; line++) {
        yajl_val service = yajl_tree_parse(*line, NULL, 0);
        const char *name = get(service, "name"), *namespace = get(service, "namespace");

        /* what is no DNS label can have no name in DNS */
        if (dns_label_is_valid(name))
            add_service(corpus->services, get(service, "file"), namespace ? namespace : "default",
                        name);
        yajl_tree_free(service);
    }
}

static int set_up(void **state)
{
    const char *given = g_getenv("KUBESVC_CORPUS");
    struct corpus *corpus = g_new0(struct corpus, 1);
    g_autofree char *text = NULL;

    *state = corpus;
    corpus->directory = g_strdup(given ? given : "../shared/corpus");
    if (!g_file_test(corpus->directory, G_FILE_TEST_IS_DIR))
        return 0;
    text = read_file(corpus, "EXPECT.tsv", NULL);
    corpus->files = g_strsplit(text, "\n", -1);
    read_services(corpus);
    return 0;
}

static int tear_down(void **state)
{
    struct corpus *corpus = *state;

    g_strfreev(corpus->files);
    g_clear_pointer(&corpus->services, g_hash_table_unref);
    g_free(corpus->directory);
    g_free(corpus);
    return 0;
}

static const struct corpus *present(void **state)
{
    const struct corpus *corpus = *state;

    if (!corpus->files) {
        print_message("no corpus at %s\n", corpus->directory);
        skip();
    }
    return corpus;
}

typedef void (*check_file)(const struct corpus *corpus, char *const *row,
                           const struct manifest_text *manifest);

/* Calls `check` for each row of EXPECT.tsv: file, status, documents, objects, services, pods,
 * workloads. */
static void each_file(void **state, check_file check)
{
    const struct corpus *corpus = present(state);
    unsigned n = 0;

    for (char **line = corpus->files + 1; *line && **line; line++) {
        g_auto(GStrv) row = g_strsplit(*line, "\t", -1);
        size_t length;
        g_autofree char *text = read_file(corpus, row[0], &length);
        struct manifest_text manifest = manifest_text_all(text, length);

        check(corpus, row, &manifest);
        manifest_text_free(&manifest);
        n++;
    }
    assert_true(n > 2000);
}

static void check_services(const struct corpus *corpus, char *const *row,
                           const struct manifest_text *manifest)
{
    const GPtrArray *expected = g_hash_table_lookup(corpus->services, row[0]);
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

    if (strcmp(row[1], "ok") != 0)
        return;
    for (guint i = 0; i < manifest->objects->len; i++) {
        const struct object *object = manifest->objects->pdata[i];

        if (object->kind == OBJECT_SERVICE)
            g_ptr_array_add(found, g_strdup_printf("%s/%s", object->namespace, object->name));
    }
    for (guint i = 0; expected && i < expected->len; i++)
        g_ptr_array_add(sorted, expected->pdata[i]);
    g_ptr_array_sort(sorted, compare_texts);
    g_ptr_array_sort(found, compare_texts);
    if (found->len != sorted->len)
        fail_msg("%s: %u Services instead of %u", row[0], found->len, sorted->len);
    for (guint i = 0; i < found->len; i++)
        assert_string_equal(found->pdata[i], sorted->pdata[i]);
}

static void services(void **state)
{
    each_file(state, check_services);
}

static unsigned count_pods(const struct manifest_text *manifest)
{
    unsigned n = 0;

    for (guint i = 0; i < manifest->objects->len; i++)
        n += ((const struct object *)manifest->objects->pdata[i])->kind == OBJECT_POD;
    return n;
}

/* Good files are read to their end, and their Pods are found or spoken of. */
static void check_counts(const struct corpus *corpus, char *const *row,
                         const struct manifest_text *manifest)
{
    (void)corpus;
    if (strcmp(row[1], "ok") != 0)
        return;
    if (manifest->result != MANIFEST_DONE)
        fail_msg("%s: %s", row[0], ((struct diagnostic *)manifest->diagnostics->pdata[0])->message);
    if (manifest->diagnostics->len == 0 && count_pods(manifest) != (unsigned)atoi(row[5]))
        fail_msg("%s: %u Pods instead of %s", row[0], count_pods(manifest), row[5]);
}

static void counts(void **state)
{
    each_file(state, check_counts);
}

static void check_template(const struct corpus *corpus, char *const *row,
                           const struct manifest_text *manifest)
{
    (void)corpus;
    if (strcmp(row[1], "template") != 0)
        return;
    if (manifest->result != MANIFEST_BAD || manifest->diagnostics->len != 1 ||
        !manifest_text_rule(manifest, "template"))
        fail_msg("%s is not called a template", row[0]);
}

static void templates(void **state)
{
    each_file(state, check_template);
}

/* kubectl reads them, and so must we. */
static void json_with_tabs(void **state)
{
    static const char *const names[] = {
        "kubernetes+dns/test__e2e__cluster__manifests__addon-manager.json",
        "kubernetes+ingress-nginx/test__manifests__configuration-a.json",
        "kubernetes+ingress-nginx/test__manifests__configuration-b.json",
        "kubernetes+ingress-nginx/test__manifests__configuration-c.json",
        "kubernetes+kompose/script__test__fixtures__unused__v3__output-os-full-example.json"};
    const struct corpus *corpus = present(state);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        size_t length;
        g_autofree char *text = read_file(corpus, names[i], &length);
        struct manifest_text manifest = manifest_text_all(text, length);

        assert_int_equal(manifest.result, MANIFEST_DONE);
        manifest_text_free(&manifest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services),
        cmocka_unit_test(counts),
        cmocka_unit_test(templates),
        cmocka_unit_test(json_with_tabs),
    };

    return cmocka_run_group_tests_name("corpus", tests, set_up, tear_down);
}
