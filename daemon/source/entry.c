/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Entries form a tree like their paths. Here they are created, looked up, notified by inotify and
 * freed; probe.c and scan.c find out what is at a path, once all events have been read.
 */
#include "entry.h"

#include <string.h>
#include <sys/inotify.h>

#include "lib/manifest/manifest_name.h"
#include "projected.h"
#include "queue.h"
#include "skip_files.h"

/* IN_EXCL_UNLINK: writing to a file that was deleted or replaced does not affect the one that has
 * its name now. */
#define DIRECTORY_MASK                                                                             \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_MODIFY |                 \
     IN_CLOSE_WRITE | IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)
#define INODE_MASK (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF)

/* How long a writer may pause before it is assumed never to close the file, and how long it may
 * continue before the file is read anyway. Microseconds. */
#define PAUSE_PATIENCE (10 * UINT64_C(1000000))
#define WRITING_PATIENCE (60 * UINT64_C(1000000))

/* What a close may take, at first, from when it was reported. Microseconds. */
#define CLOSING UINT64_C(10000)

static void free_child(void *entry)
{
    entry_free(entry);
}

static struct entry *entry_new(struct root *root, struct entry *parent, const char *name)
{
    struct entry *entry = g_new0(struct entry, 1);

    entry->root = root;
    entry->parent = parent;
    entry->name = g_strdup(name);
    entry->link.data = entry;
    entry->due_link.data = entry;
    return entry;
}

static char *join(const char *directory, const char *name)
{
    return g_strconcat(directory, g_str_has_suffix(directory, "/") ? "" : "/", name, NULL);
}

struct root *root_new(struct queue *queue, const char *path)
{
    struct root *root = g_new0(struct root, 1);

    root->queue = queue;
    root->path = g_strdup(path);
    g_autofree char *here = g_get_current_dir();
    g_autofree char *absolute = path[0] == '/' ? g_strdup(path) : join(here, path);
    root->entry = entry_new(root, NULL, absolute);
    root->skipped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return root;
}

void root_free(void *userdata)
{
    struct root *root = userdata;

    entry_free(root->entry);
    g_hash_table_unref(root->skipped);
    g_free(root->path);
    g_free(root->ns);
    g_free(root->origin.zone);
    g_free(root);
}

char *entry_path(const struct entry *entry)
{
    if (entry->resolved || !entry->parent)
        return g_strdup(entry->resolved ? entry->resolved : entry->name);
    return join(entry->parent->directory->resolved, entry->name);
}

char *entry_name(const struct entry *entry)
{
    return entry->parent ? join(entry->parent->directory->path, entry->name)
                         : g_strdup(entry->root->path);
}

struct entry *entry_child(struct entry *entry, const char *name)
{
    GHashTable *children = entry->directory->children;
    struct entry *child = g_hash_table_lookup(children, name);

    if (child || g_hash_table_size(children) >= DIRECTORY_ENTRIES_MAX)
        return child;
    child = entry_new(entry->root, entry, name);
    g_hash_table_insert(children, child->name, child);
    return child;
}

void entry_pass_over(struct entry *entry, const char *name, bool is_directory)
{
    GHashTable *ignored = entry->directory->ignored;

    if (g_hash_table_size(ignored) < DIRECTORY_ENTRIES_MAX)
        g_hash_table_insert(ignored, g_strdup(name), GINT_TO_POINTER(is_directory));
    skip_files_changed(entry->root, name);
}

/* True if the name is skipped. */
static bool hear_ignored(struct entry *entry, uint32_t mask, const char *name)
{
    bool entered = entry->root->recursive && manifest_name_is_entered(name);

    if (manifest_name_is_read(name) || (entered && (mask & (IN_CREATE | IN_MOVED_TO)))) {
        g_hash_table_remove(entry->directory->ignored, name); /* unless it is ignored again */
        return false;
    }
    if (mask & (IN_DELETE | IN_MOVED_FROM)) {
        g_hash_table_remove(entry->directory->ignored, name);
        skip_files_changed(entry->root, name);
    } else if (mask & (IN_CREATE | IN_MOVED_TO)) {
        entry_pass_over(entry, name, mask & IN_ISDIR);
    }
    return true;
}

static void on_directory(void *userdata, uint32_t mask, const char *name)
{
    struct entry *entry = userdata;

    if (!entry->directory)
        return;
    if (!name || strcmp(name, PROJECTED_DATA) == 0) {
        entry->rescan = true;
        queue_mark(entry->root->queue, entry);
    }
    if (!name)
        return;
    struct entry *child = g_hash_table_lookup(entry->directory->children, name);
    if (!child && hear_ignored(entry, mask, name))
        return;
    if (!child)
        child = entry_child(entry, name);
    if (child)
        entry_on_event(child, mask);
}

static bool has_writer(const struct entry *entry)
{
    return entry->writing || entry->writing_elsewhere;
}

/* Decided when it is closed, or at the time set here. */
static void hear_writing(struct entry *entry, bool *writing)
{
    entry->written = queue_now();
    if (entry->writing_since == 0)
        entry->writing_since = entry->written;
    *writing = entry->forced = true;
    if (entry->due == 0)
        queue_wait(entry->root->queue, entry, PAUSE_PATIENCE);
}

static void on_inode(void *userdata, uint32_t mask, const char *name)
{
    struct entry *entry = userdata;

    (void)name;
    if (mask & IN_MODIFY)
        hear_writing(entry, &entry->writing_elsewhere);
    else
        entry_on_event(entry, mask);
}

bool entry_is_written(const struct entry *entry)
{
    return has_writer(entry) && !entry->unguarded;
}

/* Content read during writing is read again, even if it looks the same: it was read with a
 * warning. */
static void forget_writer(struct entry *entry, bool *writing)
{
    if (*writing)
        entry->forced = true;
    *writing = false;
}

void entry_forget_writers(struct entry *entry)
{
    forget_writer(entry, &entry->writing);
    forget_writer(entry, &entry->writing_elsewhere);
    entry->created = entry->unguarded = false;
}

bool entry_wait_for_writers(struct entry *entry)
{
    bool again = entry->unguarded && entry->file->attempts > 0; /* it kept changing */
    uint64_t now = queue_now();

    entry->unguarded = false;
    if (has_writer(entry) && now >= entry->written + PAUSE_PATIENCE)
        entry_forget_writers(entry);
    if (!has_writer(entry))
        return false;
    entry->unguarded = again || now >= entry->writing_since + WRITING_PATIENCE;
    if (entry->unguarded)
        entry->writing_since = now;
    uint64_t pause_ends = entry->written + PAUSE_PATIENCE;
    uint64_t writing_ends = entry->writing_since + WRITING_PATIENCE;
    queue_wait(entry->root->queue, entry, MIN(pause_ends, writing_ends) - now);
    return !entry->unguarded;
}

/* Nothing is recorded that only the writer's close would end: that may not be reported, or was
 * already, since the kernel reports it shortly before the file no longer counts as open. After a
 * close the file is therefore examined again soon, and then less and less often. */
bool entry_meet_writer(struct entry *entry, uint64_t idle)
{
    uint64_t now = queue_now();

    entry->written = MAX(entry->written, now - MIN(idle, now));
    if (now >= entry->written + PAUSE_PATIENCE)
        return false;
    if (entry->writing_since == 0)
        entry->writing_since = entry->written;
    uint64_t pause_ends = entry->written + PAUSE_PATIENCE;
    uint64_t writing_ends = entry->writing_since + WRITING_PATIENCE;
    entry->unguarded = now >= writing_ends;
    if (entry->unguarded) {
        entry->writing_since = now;
        return false;
    }
    entry->forced = true;
    uint64_t delay = MIN(pause_ends, writing_ends) - now;
    if (entry->closed > 0)
        delay = MIN(delay, MAX(CLOSING, (now - entry->closed) / 2));
    queue_wait(entry->root->queue, entry, delay);
    return true;
}

void entry_on_event(struct entry *entry, uint32_t mask)
{
    if (mask & IN_ATTRIB)
        entry->rescan = entry->touched = true; /* it may be allowed now */
    if (mask & (IN_CREATE | IN_MOVED_TO)) {
        entry->forced = true;
        entry->rescan = true;
        entry_forget_writers(entry);
        entry->writing_since = entry->written = entry->closed = 0; /* of another file */
        entry->created = (mask & (IN_CREATE | IN_ISDIR)) == IN_CREATE;
    }
    if (mask & (IN_CLOSE_WRITE | IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM))
        entry_forget_writers(entry);
    if (mask & IN_CLOSE_WRITE) {
        entry->closed = queue_now();
        entry->forced = true; /* mapped memory is written without an event, and possibly without
                                 changing the time */
    }
    entry->created_there = false;
    if (mask & IN_MODIFY) {
        hear_writing(entry, &entry->writing);
        return;
    }
    queue_mark(entry->root->queue, entry);
}

/* Closing files in it is not reported to them. */
static void forget_all_writers(struct directory *directory)
{
    GHashTableIter iter;
    void *child;

    g_hash_table_iter_init(&iter, directory->children);
    while (g_hash_table_iter_next(&iter, NULL, &child))
        entry_forget_writers(child);
}

void entry_enter(struct entry *entry, const char *resolved, const struct stat *st)
{
    struct directory *directory = entry->directory;

    if (!directory) {
        directory = entry->directory = g_new0(struct directory, 1);
        directory->path = entry_name(entry);
        directory->children = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_child);
        directory->ignored = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        directory->depth = entry->parent ? entry->parent->directory->depth + 1 : 0;
    }
    g_free(directory->resolved);
    directory->resolved = g_strdup(resolved);
    directory->dev = st->st_dev;
    directory->ino = st->st_ino;
    if (!directory->entered)
        entry->root->n_directories++;
    directory->entered = true;

    /* The new point first: for the same inode the kernel's watch then stays. */
    struct watch_point *old = directory->watch;
    (void)!watch_add(entry->root->queue->watch, &directory->watch, resolved, DIRECTORY_MASK, NULL,
                     on_directory, entry);
    if (!watch_point_is_same(old, directory->watch))
        forget_all_writers(directory);
    watch_point_free(old);
}

static void end_scan(struct directory *directory)
{
    if (directory->scan)
        closedir(directory->scan);
    directory->scan = NULL;
}

void entry_leave(struct entry *entry)
{
    struct directory *directory = entry->directory;

    end_scan(directory);
    directory->watch = watch_point_free(directory->watch);
    if (directory->entered)
        entry->root->n_directories--;
    directory->entered = false;
    g_hash_table_remove_all(directory->ignored);
    skip_files_changed(entry->root, NULL);
}

static void free_directory(struct directory *directory)
{
    if (!directory)
        return;
    g_hash_table_unref(directory->children);
    g_hash_table_unref(directory->ignored);
    end_scan(directory);
    watch_point_free(directory->watch);
    g_free(directory->path);
    g_free(directory->resolved);
    g_free(directory);
}

struct entry *entry_free(struct entry *entry)
{
    if (!entry)
        return NULL;
    if (entry->directory)
        entry_leave(entry);
    free_directory(entry->directory);
    if (entry->root->refused == entry)
        entry->root->refused = NULL;
    queue_forget(entry->root->queue, entry);
    file_free(entry->file);
    path_watch_free(entry->path_watch);
    watch_point_free(entry->inode);
    g_clear_pointer(&entry->diagnostics, g_ptr_array_unref);
    g_free(entry->resolved);
    g_free(entry->name);
    g_free(entry);
    return NULL;
}

void entry_for_each_below(struct entry *entry, void (*each)(void *userdata, struct entry *entry),
                          void *userdata)
{
    GHashTableIter iter;
    void *child;

    if (!entry->directory)
        return;
    g_hash_table_iter_init(&iter, entry->directory->children);
    while (g_hash_table_iter_next(&iter, NULL, &child))
        entry_for_each(child, each, userdata);
}

void entry_for_each(struct entry *entry, void (*each)(void *userdata, struct entry *entry),
                    void *userdata)
{
    entry_for_each_below(entry, each, userdata);
    each(userdata, entry);
}

void entry_watch_inode(struct entry *entry, const char *path)
{
    struct watch_point *old = entry->inode;

    (void)!watch_add(entry->root->queue->watch, &entry->inode, path, INODE_MASK, NULL, on_inode,
                     entry);
    if (!watch_point_is_same(old, entry->inode))
        forget_writer(entry, &entry->writing_elsewhere);
    watch_point_free(old);
}

void entry_unwatch_inode(struct entry *entry)
{
    entry->inode = watch_point_free(entry->inode);
    forget_writer(entry, &entry->writing_elsewhere);
}
