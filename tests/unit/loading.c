/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loader tests' common part: everything is real but the catalog, whose place a table takes.
 */
#include "loading.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void free_source(void *source)
{
    source_unref(source);
}

static void free_directory(void *data)
{
    struct config_directory *directory = data;

    g_free(directory->path);
    g_free(directory->ns);
    g_free(directory);
}

struct loading *loading_new(void)
{
    struct loading *loading = g_new0(struct loading, 1);
    const char *base = g_getenv("TMPDIR") ? g_getenv("TMPDIR") : "/tmp";
    g_autofree char *template = g_strconcat(base, "/loading-XXXXXX", NULL);

    assert_non_null(mkdtemp(template));
    loading->directory = realpath(template, NULL);
    assert_int_equal(sd_event_new(&loading->event), 0);
    loading->process = getpid();
    loading->config.ns = g_strdup("default");
    loading->config.allocate = true;
    loading->config.max_file_size = 1 << 20;
    loading->config.manifests = g_ptr_array_new_with_free_func(free_directory);
    loading->told = g_hash_table_new_full(NULL, NULL, free_source, g_free);
    loading->calls = g_string_new(NULL);
    loading->texts = g_string_chunk_new(4096);
    return loading;
}

void loading_free(struct loading *loading)
{
    loader_free(loading->loader);
    sd_event_unref(loading->event);
    g_hash_table_unref(loading->told);
    g_string_free(loading->calls, TRUE);
    g_string_chunk_free(loading->texts);
    g_ptr_array_unref(loading->config.manifests);
    g_free(loading->config.ns);
    remove_tree(loading->directory);
    free(loading->directory);
    g_free(loading);
}

struct config_directory *loading_add(struct loading *loading, const char *path)
{
    struct config_directory *directory = g_new0(struct config_directory, 1);

    directory->path = g_strconcat(loading->directory, "/", path, NULL);
    g_ptr_array_add(loading->config.manifests, directory);
    return directory;
}

static char *names_of(const GPtrArray *objects)
{
    GString *names = g_string_new(NULL);

    for (unsigned i = 0; i < objects->len; i++) {
        const struct object *object = objects->pdata[i];
        g_string_append_printf(names, "%s%s", i > 0 ? "," : "", object->name);
    }
    return g_string_free(names, FALSE);
}

static bool is_in_order(const struct source *a, const struct source *b)
{
    return a->rank < b->rank || (a->rank == b->rank && strcmp(a->path, b->path) <= 0);
}

static void on_file(void *userdata, struct source *source, GPtrArray *objects)
{
    struct loading *loading = userdata;

    loading->n_files++;
    if (loading->last && !is_in_order(loading->last, source))
        loading->unordered++;
    if (loading->last)
        source_unref(loading->last);
    loading->last = source_ref(source);
    char *names = objects ? names_of(objects) : NULL;
    g_string_append_printf(loading->calls, "%u %s %s\n", source->rank, source->path,
                           objects ? names : "gone");
    if (objects) {
        g_hash_table_insert(loading->told, source_ref(source), names);
        g_ptr_array_unref(objects);
    } else {
        assert_true(g_hash_table_remove(loading->told, source));
    }
}

static void on_moved(void *userdata, struct source *from, struct source *to)
{
    struct loading *loading = userdata;
    void *key, *names;

    assert_true(g_hash_table_steal_extended(loading->told, from, &key, &names));
    source_unref(key);
    g_hash_table_insert(loading->told, source_ref(to), names);
    g_string_append_printf(loading->calls, "%u %s moved\n", to->rank, to->path);
}

static void on_settled(void *userdata, bool first)
{
    struct loading *loading = userdata;

    loading->n_settled++;
    loading->n_first += first ? 1 : 0;
    if (loading->last)
        source_unref(loading->last);
    loading->last = NULL;
}

bool loading_run(struct loading *loading, uint64_t usec)
{
    int r = sd_event_run(loading->event, usec);

    assert_true(r >= 0);
    return r > 0;
}

void loading_rest(struct loading *loading)
{
    while (loading_run(loading, 30000))
        ;
}

void loading_start(struct loading *loading)
{
    const struct loader_callbacks callbacks = {
        .file = on_file, .moved = on_moved, .settled = on_settled, .userdata = loading};

    assert_int_equal(loader_new(&loading->loader, loading->event, &loading->config, &callbacks), 0);
    loading_until(loading, loading->n_first > 0);
}

const char *at(struct loading *loading, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *rest = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *path = g_strconcat(loading->directory, "/", rest, NULL);
    return g_string_chunk_insert(loading->texts, path);
}

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *relative(const struct loading *loading, const char *path)
{
    size_t length = strlen(loading->directory);

    return g_str_has_prefix(path, loading->directory) ? path + length + 1 : path;
}

const char *loading_all(struct loading *loading)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    void *key, *names;

    g_hash_table_iter_init(&iter, loading->told);
    while (g_hash_table_iter_next(&iter, &key, &names)) {
        const struct source *source = key;
        g_ptr_array_add(lines, g_strdup_printf("%u %s: %s\n", source->rank,
                                               relative(loading, source->path), (char *)names));
    }
    g_ptr_array_sort(lines, by_text);
    g_ptr_array_add(lines, NULL);
    g_autofree char *text = g_strjoinv("", (char **)lines->pdata);
    return g_string_chunk_insert(loading->texts, text);
}

const char *loading_of(struct loading *loading, const char *path)
{
    GHashTableIter iter;
    void *key, *names;
    const char *full = at(loading, "%s", path);

    g_hash_table_iter_init(&iter, loading->told);
    while (g_hash_table_iter_next(&iter, &key, &names)) {
        if (strcmp(((struct source *)key)->path, full) == 0)
            return names;
    }
    return NULL;
}

bool loading_says(struct loading *loading, const char *path, const char *names)
{
    return g_strcmp0(loading_of(loading, path), names) == 0;
}

struct asked {
    struct loading *loading;
    const char *path;
    const char *text;
    bool stale;
};

static void on_status(void *userdata, const struct loader_file_status *status)
{
    struct asked *asked = userdata;
    g_autoptr(GString) text = g_string_new(NULL);

    if (strcmp(status->path, asked->path) != 0)
        return;
    for (unsigned i = 0; status->diagnostics && i < status->diagnostics->len; i++) {
        g_autofree char *line = diagnostic_format(status->diagnostics->pdata[i], status->path);
        g_string_append_printf(text, "%s\n", line);
    }
    asked->text = g_string_chunk_insert(asked->loading->texts, text->str);
    asked->stale = status->stale;
    assert_int_equal(status->stale, status->stale_since != 0 && status->stale);
}

static struct asked ask(struct loading *loading, const char *path)
{
    struct asked asked = {.loading = loading, .path = at(loading, "%s", path)};

    loader_status(loading->loader, on_status, &asked);
    return asked;
}

const char *loading_diagnostics(struct loading *loading, const char *path)
{
    return ask(loading, path).text;
}

bool loading_is_stale(struct loading *loading, const char *path)
{
    return ask(loading, path).stale;
}

void append_services(GString *text, const char *names)
{
    g_auto(GStrv) list = g_strsplit(names, ",", -1);

    for (char **name = list; *name; name++)
        g_string_append_printf(text,
                               "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: %s\n"
                               "spec:\n  clusterIP: 10.0.0.1\n  ports: [{port: 80}]\n",
                               *name);
}

void write_file(const char *path, const char *names)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (strcmp(names, "!") == 0)
        g_string_assign(text, "a: [1, 2\nb: }\n");
    else if (names[0] != '\0')
        append_services(text, names);
    FILE *file = fopen(path, "we");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    assert_int_equal(fwrite(text->str, 1, text->len, file), text->len);
    assert_int_equal(fclose(file), 0);
}

void put_file(const char *path, const char *names)
{
    g_autofree char *temporary = g_strconcat(path, ".tmp", NULL);

    write_file(temporary, names);
    assert_int_equal(rename(temporary, path), 0);
}

void make_directory(const char *path)
{
    if (mkdir(path, 0755) < 0)
        fail_msg("%s: %s", path, strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if (type == FTW_DNR)
        (void)chmod(path, 0700);
    return remove(path);
}

void remove_tree(const char *path)
{
    (void)nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}
