/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Collecting. Reads as the daemon does, by the same reader and the same choice of names in a
 * directory; but at once, without watching, and also what is no regular file, because a pipe is a
 * good place to check what a generator writes.
 */
#include "input_set.h"

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
#include "manifest_files.h"

#define FILE_SIZE_MAX (UINT64_C(512) << 20) /* as maxFileSize of the daemon */
#define DEPTH_MAX 64
#define STANDARD_INPUT "<stdin>"

struct chart {          /* of Helm */
    unsigned templates; /* that could not be read */
};

static void file_free(gpointer data)
{
    struct input_file *file = data;
    g_free(file->path);
    g_free(file);
}

void input_set_init(struct input_set *inputs, struct check_report *report)
{
    *inputs = (struct input_set){
        .model = lint_model_new(),
        .report = report,
        .ns = "default",
        .files = g_ptr_array_new_with_free_func(file_free),
        .charts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
        .seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
}

void input_set_clear(struct input_set *inputs)
{
    lint_model_free(inputs->model);
    g_ptr_array_unref(inputs->files);
    g_hash_table_unref(inputs->charts);
    g_hash_table_unref(inputs->seen);
}

static void complain(struct input_set *inputs, const char *path, int error)
{
    check_report_take(inputs->report, path,
                      diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, "unreadable", NULL,
                                     "cannot be read: %s", strerrordesc_np(error)));
}

/* The reading of one file. */
struct sheet {
    GHashTable *records;  /* struct object * -> struct lint_record * that was seen with it */
    GPtrArray *strangers; /* struct diagnostic *: about trees without an object */
    GPtrArray *makers;    /* struct maker *: the same trees */
    struct suppressions *suppressions;
    int fd;
    bool is_blank;
};

static void forget_record(gpointer record)
{
    ((struct lint_record *)record)->object = NULL; /* the reader's, or freed by it */
    lint_record_free(record);
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
        struct lint_record *record = lint_record_new(object);
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
    const char *bytes = buffer;
    sheet->is_blank = sheet->is_blank && n >= 0;
    for (ssize_t i = 0; sheet->is_blank && i < n; i++)
        sheet->is_blank = g_ascii_isspace(bytes[i]);
    if (n >= 0)
        suppressions_read(sheet->suppressions, buffer, (size_t)n);
    return n;
}

/* A file that is a template, or one of a chart's that cannot be read as it is. */
static bool is_of_template(const struct input_set *inputs, const char *path,
                           const struct diagnostic *diagnostic)
{
    if (g_strcmp0(diagnostic->rule, "template") == 0)
        return true;
    g_autofree char *directory = g_path_get_dirname(path);
    return inputs->chart && g_str_has_suffix(directory, "/templates") &&
           g_strcmp0(diagnostic->rule, "syntax") == 0;
}

static void take_diagnostics(struct input_set *inputs, const char *path, GPtrArray *diagnostics)
{
    bool counted = false;
    g_ptr_array_set_free_func(diagnostics, NULL);
    for (guint i = 0; i < diagnostics->len; i++) {
        struct diagnostic *diagnostic = diagnostics->pdata[i];
        if (!is_of_template(inputs, path, diagnostic) ||
            !(inputs->chart || inputs->skip_templates)) {
            check_report_take(inputs->report, path, diagnostic);
            continue;
        }
        if (inputs->chart && !counted)
            inputs->chart->templates++;
        counted = true;
        diagnostic_free(diagnostic);
    }
    g_ptr_array_set_size(diagnostics, 0);
}

static void count(struct input_file *file, const struct object *object)
{
    file->objects++;
    file->services += object->kind == OBJECT_SERVICE;
    file->pods += object->kind == OBJECT_POD;
    file->workloads += object_is_workload(object);
}

static void take_objects(struct input_set *inputs, struct input_file *file, struct sheet *sheet,
                         GPtrArray *objects)
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
        take_diagnostics(inputs, file->path, ((struct lint_record *)record)->diagnostics);
        lint_model_add(inputs->model, record);
    }
    take_diagnostics(inputs, file->path, sheet->strangers);
    while (sheet->makers->len > 0)
        lint_model_add_maker(inputs->model, g_ptr_array_steal_index(sheet->makers, 0));
}

static void read_all(struct input_set *inputs, struct input_file *file, struct sheet *sheet)
{
    struct source *source = source_new(file->path, inputs->rank, false, NULL);
    struct manifest_options options = {
        .default_namespace = inputs->ns,
        .max_size = FILE_SIZE_MAX,
        .look = look,
        .look_userdata = sheet,
    };
    g_autoptr(GPtrArray) objects = NULL, diagnostics = NULL;
    int r = manifest_read(source, &options, read_some, sheet, &objects, &diagnostics);
    check_report_suppress(inputs->report, file->path, g_steal_pointer(&sheet->suppressions));
    if (r < 0)
        complain(inputs, file->path, -r);
    else
        take_diagnostics(inputs, file->path, diagnostics);
    if (r == MANIFEST_DONE)
        take_objects(inputs, file, sheet, objects);
    source_unref(source);
}

static void complain_none(struct input_set *inputs, const char *path, const char *message)
{
    check_report_take(inputs->report, path,
                      diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, "no-manifests", NULL, "%s", message));
}

/* `must_hold`: an empty one is what a failed generator writes. */
static void read_file(struct input_set *inputs, const char *path, int fd, bool must_hold)
{
    struct input_file *file = g_new0(struct input_file, 1);
    struct sheet sheet = {
        .fd = fd,
        .records = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, forget_record),
        .strangers = g_ptr_array_new_with_free_func((GDestroyNotify)diagnostic_free),
        .makers = g_ptr_array_new_with_free_func(maker_free),
        .suppressions = suppressions_new(),
        .is_blank = true,
    };
    file->path = g_strdup(path);
    g_ptr_array_add(inputs->files, file);
    read_all(inputs, file, &sheet);
    if (must_hold && sheet.is_blank)
        complain_none(inputs, path, "the input is empty");
    g_hash_table_unref(sheet.records);
    g_ptr_array_unref(sheet.strangers);
    g_ptr_array_unref(sheet.makers);
}

/* A file that is reached in two ways says nothing twice. */
static bool is_new(struct input_set *inputs, const struct stat *st)
{
    return g_hash_table_add(
        inputs->seen, g_strdup_printf("%ju:%ju", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino));
}

static void open_file(struct input_set *inputs, const char *path, bool must_hold)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        complain(inputs, path, errno);
        return;
    }
    read_file(inputs, path, fd, must_hold);
    close(fd);
}

static bool is_ignored(const struct input_set *inputs, const char *path)
{
    for (const char *const *pattern = inputs->ignored; pattern && *pattern; pattern++)
        if (ignore_matches(*pattern, inputs->top, path))
            return true;
    return false;
}

static struct chart *find_chart(struct input_set *inputs, const char *path)
{
    g_autofree char *file = g_build_filename(path, "Chart.yaml", NULL);
    if (access(file, F_OK) != 0)
        return NULL;
    struct chart *chart = g_hash_table_lookup(inputs->charts, path);
    if (!chart) {
        chart = g_new0(struct chart, 1);
        g_hash_table_insert(inputs->charts, g_strdup(path), chart);
    }
    return chart;
}

static void read_entries(struct input_set *inputs, const char *path, unsigned depth);

/* Charts in a chart are part of it. */
static void read_directory(struct input_set *inputs, const char *path, unsigned depth)
{
    struct chart *around = inputs->chart;
    g_autofree char *above = g_path_get_dirname(path), *name = g_path_get_basename(path);
    bool templates = strcmp(name, "templates") == 0;
    if (!around)
        inputs->chart = find_chart(inputs, path);
    if (!inputs->chart && templates)
        inputs->chart = find_chart(inputs, above);
    if (templates && inputs->chart && inputs->skip_templates)
        inputs->met++;
    else
        read_entries(inputs, path, depth);
    inputs->chart = around;
}

static void enter_directory(struct input_set *inputs, const char *path, const struct stat *st,
                            unsigned depth)
{
    if (!inputs->recursive || depth == DEPTH_MAX)
        inputs->has_below = true;
    else if (is_new(inputs, st))
        read_directory(inputs, path, depth + 1);
    else
        inputs->met++;
}

static void read_entry(struct input_set *inputs, const char *path, unsigned depth)
{
    bool is_manifest = manifest_name_is_read(strrchr(path, '/') + 1);
    struct stat st;
    inputs->met += is_manifest;
    if (is_ignored(inputs, path)) {
        inputs->met++;
        return;
    }
    if (stat(path, &st) < 0) {
        if (is_manifest)
            complain(inputs, path, errno);
    } else if (S_ISDIR(st.st_mode)) {
        enter_directory(inputs, path, &st, depth);
    } else if (S_ISREG(st.st_mode) && is_manifest && is_new(inputs, &st)) {
        open_file(inputs, path, false);
    }
}

static void read_entries(struct input_set *inputs, const char *path, unsigned depth)
{
    int error;
    g_autoptr(GPtrArray) paths = manifest_files_list(path, &error);
    if (error != 0) {
        complain(inputs, path, error);
        inputs->met++;
    }
    for (guint i = 0; i < paths->len; i++) /* the later path wins, as it does for the daemon */
        read_entry(inputs, paths->pdata[i], depth);
}

static void read_whole(struct input_set *inputs, const char *path)
{
    inputs->met = 0;
    inputs->has_below = false;
    read_directory(inputs, path, 0);
    if (inputs->met > 0)
        return;
    complain_none(inputs, path,
                  inputs->has_below
                      ? "no manifests: no file here ends in .yaml, .yml or .json; -R enters "
                        "subdirectories"
                      : "no manifests: no file here ends in .yaml, .yml or .json");
}

void input_set_add(struct input_set *inputs, const char *path)
{
    struct stat st;
    inputs->rank++;
    inputs->top = path;
    if (is_ignored(inputs, path))
        return;
    if (strcmp(path, "-") == 0) {
        read_file(inputs, STANDARD_INPUT, STDIN_FILENO, true);
        return;
    }
    if (stat(path, &st) < 0) {
        complain(inputs, path, errno);
        return;
    }
    if (!is_new(inputs, &st))
        return;
    if (S_ISDIR(st.st_mode))
        read_whole(inputs, path);
    else
        open_file(inputs, path, !S_ISREG(st.st_mode));
}

void input_set_end(struct input_set *inputs)
{
    GHashTableIter iter;
    gpointer path, value;
    g_hash_table_iter_init(&iter, inputs->charts);
    while (g_hash_table_iter_next(&iter, &path, &value)) {
        const struct chart *chart = value;
        if (chart->templates == 0 || inputs->skip_templates)
            continue;
        check_report_take(
            inputs->report, path,
            diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, "template", NULL,
                           "a Helm chart, of which %u %s not checked: render it first, as with "
                           "'helm template %s | kubesvc check -'",
                           chart->templates,
                           chart->templates == 1 ? "template was" : "templates were",
                           (char *)path));
    }
}
