/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Such a file is among the names that are ignored, so they are searched when these have changed,
 * which is rare. All directories are listed before a manifest is examined, and all manifests are
 * examined before one is read.
 */
#include "skip_files.h"

#include <string.h>

#include "lib/manifest/manifest_name.h"

#define ENDING ".skip"

bool skip_files_have(const struct entry *entry)
{
    const struct root *root = entry->root;

    return root->skips && g_hash_table_contains(root->skipped, entry->name);
}

void skip_files_changed(const struct root *root, const char *name)
{
    if (root->skips && (!name || g_str_has_suffix(name, ENDING)))
        root->queue->skips_due = true;
}

static void collect_name(GHashTable *skipped, const char *name)
{
    if (g_str_has_suffix(name, ENDING))
        g_hash_table_add(skipped, g_strndup(name, strlen(name) - strlen(ENDING)));
}

static void collect(void *userdata, struct entry *entry)
{
    GHashTableIter iter;
    gpointer name;

    if (!entry->directory || !entry->directory->entered)
        return;
    if (entry->parent)
        collect_name(userdata, entry->name);
    g_hash_table_iter_init(&iter, entry->directory->ignored);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        collect_name(userdata, name);
}

struct reconsidering {
    GHashTable *before, *now;
};

static bool has_changed(const struct reconsidering *reconsidering, const char *name)
{
    return g_hash_table_contains(reconsidering->before, name) !=
           g_hash_table_contains(reconsidering->now, name);
}

/* One that was skipped so far has no entry. */
static void reconsider(void *userdata, struct entry *entry)
{
    struct queue *queue = entry->root->queue;
    GHashTableIter iter;
    gpointer name;

    if (has_changed(userdata, entry->name))
        queue_mark_now(queue, entry);
    if (!entry->directory)
        return;
    g_hash_table_iter_init(&iter, entry->directory->ignored);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        bool concerned = manifest_name_is_read(name) && has_changed(userdata, name);
        struct entry *child = concerned ? entry_child(entry, name) : NULL;
        if (!child)
            continue;
        g_hash_table_iter_remove(&iter);
        queue_mark_now(queue, child);
    }
}

static void settle(struct root *root)
{
    g_autoptr(GHashTable) before = root->skipped;

    root->skipped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    entry_for_each(root->entry, collect, root->skipped);
    struct reconsidering reconsidering = {before, root->skipped};
    entry_for_each(root->entry, reconsider, &reconsidering);
}

void skip_files_settle(struct queue *queue)
{
    queue->skips_due = false;
    for (guint i = 0; i < queue->roots->len; i++) {
        struct root *root = queue->roots->pdata[i];
        if (root->skips)
            settle(root);
    }
}
