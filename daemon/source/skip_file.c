/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Such a file is among the names in its directory that are ignored, so nothing more is recorded.
 */
#include "skip_file.h"

#include <string.h>

#include "lib/manifest/manifest_name.h"
#include "queue.h"

#define ENDING ".skip"

bool skip_file_exists(const struct entry *entry)
{
    if (!entry->parent || !entry->root->skips)
        return false;
    g_autofree char *name = g_strconcat(entry->name, ENDING, NULL);
    return g_hash_table_contains(entry->parent->directory->ignored, name);
}

void skip_file_changed(struct entry *directory, const char *name)
{
    if (!directory->root->skips || !g_str_has_suffix(name, ENDING))
        return;
    g_autofree char *skipped = g_strndup(name, strlen(name) - strlen(ENDING));
    struct entry *entry = manifest_name_is_read(skipped) ? entry_child(directory, skipped) : NULL;
    if (!entry)
        return;
    g_hash_table_remove(directory->directory->ignored, skipped);
    queue_mark(entry->root->queue, entry);
}
