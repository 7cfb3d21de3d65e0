/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The link itself tells the sets apart: each swap creates a new one. Its target would not do,
 * because a name may be reused.
 */
#include "projected.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/manifest/manifest_name.h"

static bool get_link(const struct directory *directory, struct fingerprint *fingerprint)
{
    g_autofree char *path = g_strconcat(directory->resolved, "/" PROJECTED_DATA, NULL);
    struct stat st;

    memset(fingerprint, 0, sizeof(*fingerprint));
    if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
        return false;
    *fingerprint = fingerprint_of(&st);
    return true;
}

void projected_note(struct directory *directory)
{
    struct fingerprint now;

    bool has_data = get_link(directory, &now);
    if (has_data && (!directory->has_data || !fingerprint_equal(&now, &directory->data)))
        directory->data_is_new = true;
    directory->has_data = has_data;
    directory->data = now;
}

bool projected_is_current(const struct directory *directory)
{
    struct fingerprint now;

    if (get_link(directory, &now) != directory->has_data)
        return false;
    return !directory->has_data || fingerprint_equal(&now, &directory->data);
}

static bool has_all(const struct directory *directory, DIR *set)
{
    const struct dirent *dirent;

    while ((dirent = readdir(set))) {
        if (!manifest_name_is_read(dirent->d_name))
            continue;
        const struct entry *entry = g_hash_table_lookup(directory->children, dirent->d_name);
        if (!entry || entry->absent || !entry->file)
            return false;
    }
    return true;
}

static bool leads_through_data(const struct directory *directory, const char *name)
{
    char target[sizeof(PROJECTED_DATA)]; /* the slash in place of the end */
    g_autofree char *path = g_strconcat(directory->resolved, "/", name, NULL);

    ssize_t length = readlink(path, target, sizeof(target));
    return length == sizeof(target) && memcmp(target, PROJECTED_DATA "/", sizeof(target)) == 0;
}

static bool has_dangling(const struct directory *directory)
{
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, directory->children);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct entry *entry = value;
        if (!entry->absent && entry->path_watch && !entry->resolved &&
            leads_through_data(directory, entry->name))
            return true;
    }
    return false;
}

bool projected_is_complete(const struct directory *directory)
{
    if (!directory->has_data || !directory->data_is_new)
        return true;
    g_autofree char *path = g_strconcat(directory->resolved, "/" PROJECTED_DATA, NULL);
    DIR *set = opendir(path);
    if (!set)
        return false;
    bool complete = has_all(directory, set);
    closedir(set);
    return complete && !has_dangling(directory);
}
