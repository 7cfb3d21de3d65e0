/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The path to the directory is watched by a path_watch, so that it is found when it appears, and
 * its contents by one point. Events are only recorded when they arrive.
 */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/path_watch.h"

#define FILE_MASK (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)
#define DIRECTORY_MASK (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)

struct folder_entry {
    void *data; /* the caller's */
    GDestroyNotify free_data;
    enum folder_reason due;
    char name[];
};

struct folder {
    struct folder_callbacks callbacks;
    struct watch *watch;
    struct path_watch *path_watch;
    struct watch_point *point;
    char *path, *resolved; /* the latter NULL: there is none */
    GHashTable *entries;   /* name -> struct folder_entry */
    GPtrArray *due;        /* struct folder_entry *: to be examined */
    int fd;                /* of the directory; negative: it has not been entered */
    int error;
    bool directories;
    bool find; /* the path may lead to another directory now */
    bool scan; /* examine every entry */
};

static void wake(const struct folder *folder)
{
    folder->callbacks.wake(folder->callbacks.userdata);
}

static void on_way(void *userdata, uint32_t mask, bool last)
{
    struct folder *folder = userdata;

    (void)mask, (void)last;
    folder->find = true;
    wake(folder);
}

static void entry_free(gpointer data)
{
    struct folder_entry *entry = data;

    if (entry->data)
        entry->free_data(entry->data);
    g_free(entry);
}

static void want_entry(struct folder *folder, struct folder_entry *entry, enum folder_reason reason)
{
    if (entry->due == FOLDER_NO_REASON)
        g_ptr_array_add(folder->due, entry);
    entry->due = MAX(entry->due, reason);
}

static void want(struct folder *folder, const char *name, enum folder_reason reason)
{
    struct folder_entry *entry = g_hash_table_lookup(folder->entries, name);

    if (!entry && g_hash_table_size(folder->entries) == FOLDER_ENTRIES_MAX) {
        folder->error = E2BIG;
        return;
    }
    if (!entry) {
        size_t size = strlen(name) + 1;
        entry = g_malloc0(sizeof *entry + size);
        entry->free_data = folder->callbacks.free_data;
        memcpy(entry->name, name, size);
        g_hash_table_insert(folder->entries, entry->name, entry);
    }
    want_entry(folder, entry, reason);
}

static void on_entry(void *userdata, uint32_t mask, const char *name)
{
    struct folder *folder = userdata;

    if (mask & (IN_IGNORED | IN_UNMOUNT))
        folder->find = true;
    else if (name && ((mask & IN_ISDIR) != 0) == folder->directories)
        want(folder, name,
             mask & ~(uint32_t)(IN_ISDIR | IN_ATTRIB) ? FOLDER_CHANGED : FOLDER_TOUCHED);
    else
        return;
    wake(folder);
}

struct folder *folder_new(struct watch *watch, const char *path, bool directories,
                          const struct folder_callbacks *callbacks)
{
    struct folder *folder = g_new0(struct folder, 1);

    folder->callbacks = *callbacks;
    folder->watch = watch;
    folder->path = g_strdup(path);
    folder->directories = directories;
    folder->fd = -1;
    folder->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    folder->due = g_ptr_array_new();
    folder->path_watch = path_watch_new(watch, on_way, folder);
    folder->find = true;
    return folder;
}

struct folder *folder_free(struct folder *folder)
{
    if (!folder)
        return NULL;
    folder_leave(folder);
    watch_point_free(folder->point);
    path_watch_free(folder->path_watch);
    g_ptr_array_unref(folder->due);
    g_hash_table_unref(folder->entries);
    g_free(folder->path);
    g_free(folder->resolved);
    g_free(folder);
    return NULL;
}

void folder_rescan(struct folder *folder)
{
    folder->find = true;
}

static void want_known(struct folder *folder)
{
    GHashTableIter iter;
    gpointer entry;

    g_hash_table_iter_init(&iter, folder->entries);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        want_entry(folder, entry, FOLDER_SCANNED);
}

/* The new point comes before the old one goes, so that nothing is missed in between. */
static void find(struct folder *folder)
{
    struct watch_point *before = folder->point;
    uint32_t mask = (folder->directories ? DIRECTORY_MASK : FILE_MASK) | IN_ONLYDIR;

    folder->find = false;
    folder->scan = true;
    folder->point = NULL;
    g_clear_pointer(&folder->resolved, g_free);
    folder->error = -path_watch_follow(folder->path_watch, "/", folder->path, &folder->resolved);
    if (folder->error == 0) {
        int r = watch_add(folder->watch, &folder->point, folder->resolved, mask, NULL, on_entry,
                          folder);
        folder->error = r < 0 ? -r : 0;
    }
    watch_point_free(before);
}

/* A directory that is removed elsewhere while it is mounted here can still be reached, but stays
 * empty whatever is created in its place. */
static bool is_removed(const struct folder *folder)
{
    struct stat st;

    return stat(folder->resolved, &st) == 0 && st.st_nlink == 0;
}

static void scan(struct folder *folder)
{
    const struct dirent *entry;

    folder->scan = false;
    want_known(folder);
    DIR *stream = folder->error == 0 ? opendir(folder->resolved) : NULL;
    if (!stream) {
        folder->error = folder->error == 0 ? errno : folder->error;
        return;
    }
    while (folder->error == 0 && (entry = readdir(stream))) {
        bool fits =
            entry->d_type == DT_UNKNOWN || entry->d_type == (folder->directories ? DT_DIR : DT_REG);
        if (fits && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            want(folder, entry->d_name, FOLDER_SCANNED);
    }
    closedir(stream);
    if (is_removed(folder))
        folder->error = ESTALE;
}

void folder_run(struct folder *folder)
{
    if (folder->find)
        find(folder);
    if (folder->scan)
        scan(folder);
    g_autoptr(GPtrArray) due = folder->due;

    folder->due = g_ptr_array_new();
    for (guint i = 0; i < due->len; i++) {
        struct folder_entry *entry = due->pdata[i];
        enum folder_reason reason = entry->due;
        entry->due = FOLDER_NO_REASON;
        if (!folder->callbacks.entry(folder->callbacks.userdata, entry->name, reason, &entry->data))
            g_hash_table_remove(folder->entries, entry->name);
    }
}

void folder_each(const struct folder *folder, void (*each)(void *userdata, void *data),
                 void *userdata)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, folder->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct folder_entry *entry = value;
        if (entry->data)
            each(userdata, entry->data);
    }
}

int folder_enter(struct folder *folder)
{
    if (folder->fd < 0)
        folder->fd = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return folder->fd < 0 ? -errno : folder->fd;
}

void folder_leave(struct folder *folder)
{
    if (folder->fd >= 0)
        close(folder->fd);
    folder->fd = -1;
}

const char *folder_path(const struct folder *folder)
{
    return folder->path;
}

int folder_error(const struct folder *folder)
{
    return folder->error;
}

char *folder_file(const struct folder *folder, const char *name)
{
    return g_strconcat(folder->path, "/", name, NULL);
}
