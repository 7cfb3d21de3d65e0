/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Worlds of manifests in the shapes that are met in repositories: tests/corpus, and those of
 * KUBESVC_TEST_DATA. Another YAML library found out what each file holds (EXPECT.tsv).
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

static void add_service(GHashTable *services, const char *file, const char *ns, const char *name)
{
    GPtrArray *names = g_hash_table_lookup(services, file);

    if (!names) {
        names = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(services, g_strdup(file), names);
    }
    g_ptr_array_add(names, g_strdup_printf("%s/%s", ns, name));
}

static void read_services(struct corpus *corpus)
{
    g_autofree char *text = read_file(corpus, "EXPECT-services.jsonl", NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    corpus->services =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    for (char **line = lines; *line && **line; line++) {
        yajl_val service = yajl_tree_parse(*line, NULL, 0);
        const char *name = get(service, "name"), *ns = get(service, "namespace");

        /* what is no DNS label can have no name in DNS */
        if (dns_label_is_valid(name))
            add_service(corpus->services, get(service, "file"), ns ? ns : "default", name);
        yajl_tree_free(service);
    }
}

static void corpus_free(gpointer userdata)
{
    struct corpus *corpus = userdata;

    g_strfreev(corpus->files);
    g_hash_table_unref(corpus->services);
    g_free(corpus->directory);
    g_free(corpus);
}

static void add_corpus(GPtrArray *corpora, char *directory)
{
    struct corpus *corpus = g_new0(struct corpus, 1);
    g_autofree char *text = NULL;

    corpus->directory = directory;
    text = read_file(corpus, "EXPECT.tsv", NULL);
    corpus->files = g_strsplit(text, "\n", -1);
    read_services(corpus);
    g_ptr_array_add(corpora, corpus);
}

static int set_up(void **state)
{
    const char *extra = g_getenv("KUBESVC_TEST_DATA");
    GPtrArray *corpora = g_ptr_array_new_with_free_func(corpus_free);
    g_autofree char *directory = NULL;

    *state = corpora;
    add_corpus(corpora, g_strdup("tests/corpus"));
    if (!extra)
        return 0;
    if (!g_file_test(extra, G_FILE_TEST_IS_DIR))
        fail_msg("KUBESVC_TEST_DATA=%s is not a directory", extra);
    directory = g_build_filename(extra, "corpus", NULL);
    if (g_file_test(directory, G_FILE_TEST_IS_DIR))
        add_corpus(corpora, g_steal_pointer(&directory));
    return 0;
}

static int tear_down(void **state)
{
    g_ptr_array_unref(*state);
    return 0;
}

typedef void (*check_file)(const struct corpus *corpus, char *const *row,
                           const struct manifest_text *manifest);

/* Calls `check` for each row of EXPECT.tsv: file, status, documents, objects, services, pods,
 * workloads. */
static void each_file_of(const struct corpus *corpus, check_file check)
{
    assert_true(*corpus->files && corpus->files[1] && *corpus->files[1]);
    for (char **line = corpus->files + 1; *line && **line; line++) {
        g_auto(GStrv) row = g_strsplit(*line, "\t", -1);
        size_t length;
        g_autofree char *text = read_file(corpus, row[0], &length);
        struct manifest_text manifest = manifest_text_all(text, length);

        check(corpus, row, &manifest);
        manifest_text_free(&manifest);
    }
}

static void each_file(void **state, check_file check)
{
    const GPtrArray *corpora = *state;

    for (guint i = 0; i < corpora->len; i++)
        each_file_of(corpora->pdata[i], check);
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
            g_ptr_array_add(found, g_strdup_printf("%s/%s", object->ns, object->name));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services),
        cmocka_unit_test(counts),
        cmocka_unit_test(templates),
    };

    return cmocka_run_group_tests_name("corpus", tests, set_up, tear_down);
}
