/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks over the entries: nothing is counted in advance, because reports are rare.
 */
#include "loader_status.h"

#include <string.h>

#include "lib/manifest/manifest_name.h"
#include "scanner.h"

void loader_progress(const struct loader *loader, struct loader_progress *progress)
{
    const struct scanner *scanner = loader_scanner(loader);

    *progress = (struct loader_progress){
        .files = scanner->queue.n_read,
        .files_found = scanner->queue.n_reads,
        .objects = scanner->n_objects,
        .reads = scanner->started != 0 && scanner->queue.n_reads > 0,
    };
}

static void clear_status(void *data)
{
    struct loader_file_status *status = data;

    g_free((char *)status->path);
}

static void collect(void *userdata, struct entry *entry)
{
    const struct file *file = entry->file;

    if (entry->absent || (!file && !entry->diagnostics))
        return;
    struct loader_file_status status = {
        .path = entry_name(entry),
        .diagnostics = entry->diagnostics,
    };
    if (file && !entry->diagnostics) {
        status.n_objects = file->n_objects;
        status.diagnostics = file->diagnostics;
        status.stale = file->stale;
        status.stale_since = file->stale_since;
    }
    g_array_append_val(userdata, status);
}

static gint by_path(gconstpointer a, gconstpointer b)
{
    const struct loader_file_status *left = a, *right = b;

    return strcmp(left->path, right->path);
}

void loader_status(const struct loader *loader,
                   void (*each)(void *userdata, const struct loader_file_status *status),
                   void *userdata)
{
    const GPtrArray *roots = loader_scanner(loader)->queue.roots;

    for (unsigned i = 0; i < roots->len; i++) {
        const struct root *root = roots->pdata[i];
        g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct loader_file_status));

        g_array_set_clear_func(all, clear_status);
        entry_for_each(root->entry, collect, all);
        g_array_sort(all, by_path);
        for (unsigned j = 0; j < all->len; j++)
            each(userdata, &g_array_index(all, struct loader_file_status, j));
    }
}

static void count_file(void *userdata, struct entry *entry)
{
    struct loader_directory_status *status = userdata;

    if (entry->absent || !entry->file)
        return;
    status->n_files++;
    status->n_objects += entry->file->n_objects;
}

void loader_directories(const struct loader *loader,
                        void (*each)(void *userdata, const struct loader_directory_status *status),
                        void *userdata)
{
    const struct queue *queue = &loader_scanner(loader)->queue;

    for (unsigned i = 0; i < queue->roots->len; i++) {
        const struct root *root = queue->roots->pdata[i];
        struct loader_directory_status status = {
            .path = root->path,
            .zone = root->origin.zone,
            .missing = root->entry->absent,
            .polled = watch_is_exhausted(queue->watch),
        };

        entry_for_each(root->entry, count_file, &status);
        each(userdata, &status);
    }
}

struct ignored {
    size_t n;
    void (*each)(void *userdata, const char *directory, const char *name, enum loader_why why);
    void *userdata;
};

static enum loader_why why_ignored(const char *name, bool is_directory)
{
    switch (manifest_name_kind(name)) {
    case MANIFEST_NAME_HIDDEN: return LOADER_HIDDEN;
    case MANIFEST_NAME_LEFTOVER: return LOADER_LEFTOVER;
    case MANIFEST_NAME_READ:
        if (!is_directory)
            return LOADER_SKIPPED;
        break;
    case MANIFEST_NAME_OTHER: break;
    }
    return is_directory ? LOADER_NOT_RECURSIVE : LOADER_OTHER_ENDING;
}

static void count_ignored(void *userdata, struct entry *entry)
{
    struct ignored *ignored = userdata;
    GHashTableIter iter;
    void *name, *is_directory;

    if (!entry->directory || !entry->directory->entered)
        return;
    ignored->n += g_hash_table_size(entry->directory->ignored);
    if (!ignored->each)
        return;
    g_hash_table_iter_init(&iter, entry->directory->ignored);
    while (g_hash_table_iter_next(&iter, &name, &is_directory))
        ignored->each(ignored->userdata, entry->directory->path, name,
                      why_ignored(name, GPOINTER_TO_INT(is_directory)));
}

size_t loader_ignored(const struct loader *loader,
                      void (*each)(void *userdata, const char *directory, const char *name,
                                   enum loader_why why),
                      void *userdata)
{
    struct ignored ignored = {0, each, userdata};

    queue_for_each(&loader_scanner(loader)->queue, count_ignored, &ignored);
    return ignored.n;
}
