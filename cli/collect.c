/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Collecting. Reads as the daemon does, by the same reader and the same choice of names in a
 * directory; but at once, without watching, and also what is no regular file, because a pipe is a
 * good place to check what a generator writes.
 */
#include "collect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ignore.h"
#include "lib/manifest/manifest.h"
#include "lib/manifest/manifest_name.h"
#include "lib/yaml/input.h"
#include "lint.h"

#define FILE_SIZE_MAX (UINT64_C(512) << 20) /* as maxFileSize of the daemon */
#define DEPTH_MAX 64
#define STANDARD_INPUT "<stdin>"

struct identity {
    dev_t device;
    ino_t inode;
};

static guint identity_hash(gconstpointer data)
{
    const struct identity *identity = data;
    return (guint)identity->inode * 31u + (guint)identity->device;
}

static gboolean identity_equal(gconstpointer a, gconstpointer b)
{
    const struct identity *x = a, *y = b;
    return x->device == y->device && x->inode == y->inode;
}

struct chart { /* of Helm */
    char *path;
    unsigned templates; /* that could not be read */
};

static void chart_free(gpointer data)
{
    struct chart *chart = data;
    g_free(chart->path);
    g_free(chart);
}

static void file_free(gpointer data)
{
    struct collected_file *file = data;
    g_free(file->path);
    g_free(file);
}

void collection_init(struct collection *collection, struct findings *findings)
{
    *collection = (struct collection){
        .world = world_new(),
        .findings = findings,
        .namespace = "default",
        .files = g_ptr_array_new_with_free_func(file_free),
        .charts = g_ptr_array_new_with_free_func(chart_free),
        .seen = g_hash_table_new_full(identity_hash, identity_equal, g_free, NULL),
    };
}

void collection_clear(struct collection *collection)
{
    world_free(collection->world);
    g_ptr_array_unref(collection->files);
    g_ptr_array_unref(collection->charts);
    g_hash_table_unref(collection->seen);
}

static void complain(struct collection *collection, const char *path, const char *rule, int error)
{
    findings_take(collection->findings, path,
                  diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, rule, NULL, "cannot be read: %s",
                                 strerrordesc_np(error)));
}

/* The reading of one file. */
struct sheet {
    GHashTable *records;  /* struct object * -> struct record * that was seen with it */
    GPtrArray *strangers; /* struct diagnostic *: about trees without an object */
    GPtrArray *makers;    /* struct maker *: the same trees */
    struct suppressions *suppressions;
    int fd;
};

static void forget_record(gpointer record)
{
    ((struct record *)record)->object = NULL; /* the reader's, or freed by it */
    record_free(record);
}

static void forget_diagnostic(gpointer diagnostic)
{
    diagnostic_free(diagnostic);
}

/* Is the last of them about an earlier place? */
static bool is_before(const GPtrArray *diagnostics, const struct diagnostic *next)
{
    const struct diagnostic *last = diagnostics->pdata[diagnostics->len - 1];
    return last->line != next->line ? last->line < next->line : last->column < next->column;
}

static void look(void *userdata, const struct object *object, const struct yaml_node *root)
{
    struct sheet *sheet = userdata;
    if (object) {
        struct record *record = record_new(object);
        lint_tree(record, root);
        g_hash_table_replace(sheet->records, (gpointer)(uintptr_t)object, record);
        return;
    }
    struct maker *maker = lint_maker(root);
    if (maker)
        g_ptr_array_add(sheet->makers, maker);
    struct diagnostic *diagnostic = lint_foreign_tree(root);
    if (!diagnostic)
        return;
    /* a document that turns out to be no JSON is read again from its beginning, as YAML */
    while (sheet->strangers->len > 0 && !is_before(sheet->strangers, diagnostic))
        g_ptr_array_set_size(sheet->strangers, (gint)sheet->strangers->len - 1);
    g_ptr_array_add(sheet->strangers, diagnostic);
}

static ssize_t read_some(void *userdata, void *buffer, size_t size)
{
    struct sheet *sheet = userdata;
    ssize_t n = input_read_fd(&sheet->fd, buffer, size);
    if (n >= 0)
        suppressions_read(sheet->suppressions, buffer, (size_t)n);
    return n;
}

/* A file that is a template, or one of a chart's that cannot be read as it is. */
static bool is_of_template(const struct collection *collection, const char *path,
                           const struct diagnostic *diagnostic)
{
    if (g_strcmp0(diagnostic->rule, "template") == 0)
        return true;
    g_autofree char *directory = g_path_get_dirname(path);
    return collection->chart && g_str_has_suffix(directory, "/templates") &&
           g_strcmp0(diagnostic->rule, "syntax") == 0;
}

static void take_diagnostics(struct collection *collection, const char *path,
                             GPtrArray *diagnostics)
{
    bool counted = false;
    g_ptr_array_set_free_func(diagnostics, NULL);
    for (guint i = 0; i < diagnostics->len; i++) {
        struct diagnostic *diagnostic = diagnostics->pdata[i];
        if (!is_of_template(collection, path, diagnostic) ||
            !(collection->chart || collection->skip_templates)) {
            findings_take(collection->findings, path, diagnostic);
            continue;
        }
        if (collection->chart && !counted)
            collection->chart->templates++;
        counted = true;
        diagnostic_free(diagnostic);
    }
    g_ptr_array_set_size(diagnostics, 0);
}

static void count(struct collected_file *file, const struct object *object)
{
    file->objects++;
    file->services += object->kind == OBJECT_SERVICE;
    file->pods += object->kind == OBJECT_POD;
    file->workloads += object_is_workload(object);
}

static void take_objects(struct collection *collection, struct collected_file *file,
                         struct sheet *sheet, GPtrArray *objects)
{
    g_ptr_array_set_free_func(objects, NULL);
    for (guint i = 0; i < objects->len; i++) {
        gpointer record = NULL;
        if (((const struct object *)objects->pdata[i])->kind == OBJECT_MENTION) {
            object_free(objects->pdata[i]);
            continue;
        }
        g_hash_table_steal_extended(sheet->records, objects->pdata[i], NULL, &record);
        count(file, objects->pdata[i]);
        take_diagnostics(collection, file->path, ((struct record *)record)->diagnostics);
        world_add(collection->world, record);
    }
    take_diagnostics(collection, file->path, sheet->strangers);
    while (sheet->makers->len > 0)
        world_add_maker(collection->world, g_ptr_array_steal_index(sheet->makers, 0));
}

static void read_all(struct collection *collection, struct collected_file *file,
                     struct sheet *sheet)
{
    struct source *source = source_new(file->path, collection->rank, false);
    struct manifest_options options = {
        .default_namespace = collection->namespace,
        .max_size = FILE_SIZE_MAX,
        .look = look,
        .look_userdata = sheet,
    };
    struct manifest_reader *reader = manifest_reader_new(source, &options, read_some, sheet);
    int r = manifest_reader_run(reader);
    findings_suppress(collection->findings, file->path, g_steal_pointer(&sheet->suppressions));
    if (r < 0)
        complain(collection, file->path, "unreadable", -r);
    if (r >= 0) {
        g_autoptr(GPtrArray) diagnostics = manifest_reader_take_diagnostics(reader);
        take_diagnostics(collection, file->path, diagnostics);
    }
    if (r == MANIFEST_DONE) {
        g_autoptr(GPtrArray) objects = manifest_reader_take_objects(reader);
        take_objects(collection, file, sheet, objects);
    }
    manifest_reader_free(reader);
    source_unref(source);
}

static void read_file(struct collection *collection, const char *path, int fd)
{
    struct collected_file *file = g_new0(struct collected_file, 1);
    struct sheet sheet = {
        .fd = fd,
        .records = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, forget_record),
        .strangers = g_ptr_array_new_with_free_func(forget_diagnostic),
        .makers = g_ptr_array_new_with_free_func(maker_free),
        .suppressions = suppressions_new(),
    };
    file->path = g_strdup(path);
    g_ptr_array_add(collection->files, file);
    read_all(collection, file, &sheet);
    g_hash_table_unref(sheet.records);
    g_ptr_array_unref(sheet.strangers);
    g_ptr_array_unref(sheet.makers);
}

/* A file that is reached in two ways says nothing twice. */
static bool is_new(struct collection *collection, const struct stat *st)
{
    struct identity *identity = g_new0(struct identity, 1);
    *identity = (struct identity){st->st_dev, st->st_ino};
    return g_hash_table_add(collection->seen, identity);
}

static void open_file(struct collection *collection, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        complain(collection, path, "unreadable", errno);
        return;
    }
    read_file(collection, path, fd);
    close(fd);
}

static GPtrArray *list_directory(struct collection *collection, const char *path)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) directory = g_dir_open(path, 0, &error);
    const char *name;
    if (!directory)
        complain(collection, path, "unreadable", errno);
    while (directory && (name = g_dir_read_name(directory)))
        if (manifest_name_is_read(name) || manifest_name_is_entered(name))
            g_ptr_array_add(names, g_build_filename(path, name, NULL));
    return names;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_ignored(const struct collection *collection, const char *path)
{
    for (const char *const *pattern = collection->ignored; pattern && *pattern; pattern++)
        if (ignore_matches(*pattern, collection->top, path))
            return true;
    return false;
}

static struct chart *find_chart(struct collection *collection, const char *path)
{
    g_autofree char *file = g_build_filename(path, "Chart.yaml", NULL);
    if (access(file, F_OK) != 0)
        return NULL;
    for (guint i = 0; i < collection->charts->len; i++) {
        struct chart *chart = collection->charts->pdata[i];
        if (strcmp(chart->path, path) == 0)
            return chart;
    }
    struct chart *chart = g_new0(struct chart, 1);
    chart->path = g_strdup(path);
    g_ptr_array_add(collection->charts, chart);
    return chart;
}

static void read_entries(struct collection *collection, const char *path, unsigned depth);

/* Charts in a chart are part of it. */
static void read_directory(struct collection *collection, const char *path, unsigned depth)
{
    struct chart *around = collection->chart;
    g_autofree char *above = g_path_get_dirname(path), *name = g_path_get_basename(path);
    bool templates = strcmp(name, "templates") == 0;
    if (!around)
        collection->chart = find_chart(collection, path);
    if (!collection->chart && templates)
        collection->chart = find_chart(collection, above);
    if (!(templates && collection->chart && collection->skip_templates))
        read_entries(collection, path, depth);
    collection->chart = around;
}

static void read_entries(struct collection *collection, const char *path, unsigned depth)
{
    g_autoptr(GPtrArray) names = list_directory(collection, path);
    /* the later path wins, as it does for the daemon */
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *base = g_path_get_basename(name);
        struct stat st;
        if (is_ignored(collection, name))
            continue;
        if (stat(name, &st) < 0) {
            if (manifest_name_is_read(base))
                complain(collection, name, "unreadable", errno);
        } else if (S_ISDIR(st.st_mode)) {
            if (collection->recursive && depth < DEPTH_MAX && is_new(collection, &st))
                read_directory(collection, name, depth + 1);
        } else if (S_ISREG(st.st_mode) && manifest_name_is_read(base) && is_new(collection, &st)) {
            open_file(collection, name);
        }
    }
}

void collection_add(struct collection *collection, const char *path)
{
    struct stat st;
    collection->rank++;
    collection->top = path;
    if (is_ignored(collection, path))
        return;
    if (strcmp(path, "-") == 0) {
        read_file(collection, STANDARD_INPUT, STDIN_FILENO);
        return;
    }
    if (stat(path, &st) < 0) {
        complain(collection, path, "unreadable", errno);
        return;
    }
    if (!is_new(collection, &st))
        return;
    if (S_ISDIR(st.st_mode))
        read_directory(collection, path, 0);
    else
        open_file(collection, path);
}

void collection_end(struct collection *collection)
{
    for (guint i = 0; i < collection->charts->len; i++) {
        const struct chart *chart = collection->charts->pdata[i];
        if (chart->templates == 0 || collection->skip_templates)
            continue;
        findings_take(
            collection->findings, chart->path,
            diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, "template", NULL,
                           "a Helm chart, of which %u %s not checked: render it first, as with "
                           "'helm template %s | kubesvc check -'",
                           chart->templates,
                           chart->templates == 1 ? "template was" : "templates were", chart->path));
    }
}
