/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A batch is taken as a whole: either all files of a projected volume or none of them.
 */
#include "batch.h"

#include <string.h>

#include "projected.h"

static gint by_rank_and_path(gconstpointer a, gconstpointer b)
{
    const struct source *left = (*(const struct source_update *const *)a)->source;
    const struct source *right = (*(const struct source_update *const *)b)->source;

    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    return strcmp(left->path, right->path);
}

/* 0, BATCH_AGAIN or BATCH_HOLD. A volume's files may lie deeper than the volume. */
static int check(struct queue *queue, struct entry *parent)
{
    int worst = BATCH_READY;

    for (struct entry *above = parent; above; above = above->parent) {
        if (!above->directory->entered)
            continue;
        if (!projected_is_current(above->directory)) {
            above->rescan = true;
            queue_mark_now(queue, above);
            return BATCH_AGAIN;
        }
        if (!projected_is_complete(above->directory))
            worst = BATCH_HOLD;
    }
    return worst;
}

static void check_all(struct queue *queue, GHashTable *results, int *worst)
{
    for (unsigned i = 0; i < queue->news->len; i++) {
        struct entry *parent = ((struct entry *)queue->news->pdata[i])->parent;
        if (g_hash_table_contains(results, parent))
            continue;
        int r = check(queue, parent);
        g_hash_table_insert(results, parent, GINT_TO_POINTER(r));
        if (r == BATCH_AGAIN || *worst == BATCH_READY)
            *worst = r;
    }
}

int batch_take(GPtrArray **updatesp, struct queue *queue, bool patient)
{
    g_autoptr(GHashTable) results = g_hash_table_new(NULL, NULL);
    int worst = BATCH_READY;

    check_all(queue, results, &worst);
    if (worst != BATCH_READY && patient)
        return worst;

    GPtrArray *kept = g_ptr_array_new();
    GPtrArray *updates = g_ptr_array_new_with_free_func(source_update_free);
    for (unsigned i = 0; i < queue->news->len; i++) {
        struct entry *entry = queue->news->pdata[i];
        /* An incomplete volume is delivered in the end: nothing more may come. */
        bool again = GPOINTER_TO_INT(g_hash_table_lookup(results, entry->parent)) == BATCH_AGAIN;
        entry->has_news = again;
        if (again) {
            g_ptr_array_add(kept, entry);
            continue;
        }
        file_hand_over(entry->file, updates);
        for (struct entry *above = entry->parent; above; above = above->parent)
            above->directory->data_is_new = false;
    }
    g_ptr_array_unref(queue->news);
    queue->news = kept;
    g_ptr_array_sort(updates, by_rank_and_path);
    *updatesp = updates;
    return BATCH_READY;
}

void batch_hand_over(GPtrArray *updates, const struct loader_callbacks *callbacks)
{
    for (unsigned i = 0; i < updates->len; i++) {
        struct source_update *update = updates->pdata[i];
        callbacks->file(callbacks->userdata, update->source, g_steal_pointer(&update->objects));
    }
    g_ptr_array_unref(updates);
}

static bool is_swept(const struct entry *entry)
{
    if (entry->state != ENTRY_IDLE || entry->due != 0 || entry->has_news)
        return false;
    return !entry->directory || g_hash_table_size(entry->directory->children) == 0;
}

void batch_sweep(struct queue *queue)
{
    g_autoptr(GPtrArray) absent = queue->absent;

    queue->absent = g_ptr_array_new();
    for (unsigned i = 0; i < absent->len; i++) {
        struct entry *entry = absent->pdata[i];
        entry->is_absent = false;
        if (!entry->absent)
            continue;
        if (!is_swept(entry)) {
            queue_absent(queue, entry); /* something has happened to it just now */
            continue;
        }
        if (entry->parent)
            g_hash_table_remove(entry->parent->directory->children, entry->name);
        else
            entry->file = file_free(entry->file);
    }
}
