/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Places form a tree like their paths. Here they are created, looked up, notified by inotify and
 * freed; look.c and scan.c find out what is at a path, once all events have been read.
 */
#include "place.h"

#include <string.h>
#include <sys/inotify.h>

#include "lib/manifest/manifest_name.h"
#include "projected.h"
#include "worklist.h"

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

static void free_place(void *place)
{
    place_free(place);
}

static struct place *place_new(struct root *root, struct place *parent, const char *name)
{
    struct place *place = g_new0(struct place, 1);

    place->root = root;
    place->parent = parent;
    place->name = g_strdup(name);
    place->link.data = place;
    place->due_link.data = place;
    return place;
}

static char *join(const char *directory, const char *name)
{
    return g_strconcat(directory, g_str_has_suffix(directory, "/") ? "" : "/", name, NULL);
}

struct root *root_new(struct worklist *list, const char *path)
{
    struct root *root = g_new0(struct root, 1);

    root->list = list;
    root->path = g_strdup(path);
    g_autofree char *here = g_get_current_dir();
    g_autofree char *absolute = path[0] == '/' ? g_strdup(path) : join(here, path);
    root->place = place_new(root, NULL, absolute);
    return root;
}

struct root *root_free(struct root *root)
{
    if (!root)
        return NULL;
    place_free(root->place);
    g_free(root->path);
    g_free(root->namespace);
    g_free(root);
    return NULL;
}

char *place_path(const struct place *place)
{
    if (place->resolved || !place->parent)
        return g_strdup(place->resolved ? place->resolved : place->name);
    return join(place->parent->directory->resolved, place->name);
}

char *place_name(const struct place *place)
{
    return place->parent ? join(place->parent->directory->path, place->name)
                         : g_strdup(place->root->path);
}

struct place *place_child(struct place *place, const char *name)
{
    GHashTable *children = place->directory->children;
    struct place *child = g_hash_table_lookup(children, name);

    if (child || g_hash_table_size(children) >= DIRECTORY_ENTRIES_MAX)
        return child;
    child = place_new(place->root, place, name);
    g_hash_table_insert(children, child->name, child);
    return child;
}

void place_pass_over(struct place *place, const char *name, bool is_directory)
{
    GHashTable *ignored = place->directory->ignored;

    if (g_hash_table_size(ignored) < DIRECTORY_ENTRIES_MAX)
        g_hash_table_insert(ignored, g_strdup(name), GINT_TO_POINTER(is_directory));
}

/* True if the name is skipped. */
static bool hear_ignored(struct place *place, uint32_t mask, const char *name)
{
    bool entered = place->root->recursive && manifest_name_is_entered(name);

    if (manifest_name_is_read(name) || (entered && (mask & (IN_CREATE | IN_MOVED_TO))))
        return false;
    if (mask & (IN_DELETE | IN_MOVED_FROM))
        g_hash_table_remove(place->directory->ignored, name);
    else if (mask & (IN_CREATE | IN_MOVED_TO))
        place_pass_over(place, name, mask & IN_ISDIR);
    return true;
}

static void on_directory(void *userdata, uint32_t mask, const char *name)
{
    struct place *place = userdata;

    if (!place->directory)
        return;
    if (!name || strcmp(name, PROJECTED_DATA) == 0) {
        place->rescan = true;
        worklist_mark(place->root->list, place);
    }
    if (!name)
        return;
    struct place *child = g_hash_table_lookup(place->directory->children, name);
    if (!child && hear_ignored(place, mask, name))
        return;
    if (!child)
        child = place_child(place, name);
    if (child)
        place_hear(child, mask);
}

static bool has_writer(const struct place *place)
{
    return place->writing || place->writing_elsewhere;
}

/* Decided when it is closed, or at the time set here. */
static void hear_writing(struct place *place, bool *writing)
{
    place->written = worklist_now();
    if (place->writing_since == 0)
        place->writing_since = place->written;
    *writing = place->forced = true;
    if (place->due == 0)
        worklist_wait(place->root->list, place, PAUSE_PATIENCE);
}

static void on_inode(void *userdata, uint32_t mask, const char *name)
{
    struct place *place = userdata;

    (void)name;
    if (mask & IN_MODIFY)
        hear_writing(place, &place->writing_elsewhere);
    else
        place_hear(place, mask);
}

bool place_is_written(const struct place *place)
{
    return has_writer(place) && !place->amid;
}

/* Content read during writing is read again, even if it looks the same: it was read with a
 * warning. */
static void forget_writer(struct place *place, bool *writing)
{
    if (*writing)
        place->forced = true;
    *writing = false;
}

void place_forget_writers(struct place *place)
{
    forget_writer(place, &place->writing);
    forget_writer(place, &place->writing_elsewhere);
    place->created = place->amid = false;
}

bool place_wait_for_writers(struct place *place)
{
    bool again = place->amid && place->file->attempts > 0; /* it kept changing */
    uint64_t now = worklist_now();

    place->amid = false;
    if (has_writer(place) && now >= place->written + PAUSE_PATIENCE)
        place_forget_writers(place);
    if (!has_writer(place))
        return false;
    place->amid = again || now >= place->writing_since + WRITING_PATIENCE;
    if (place->amid)
        place->writing_since = now;
    uint64_t pause_ends = place->written + PAUSE_PATIENCE;
    uint64_t writing_ends = place->writing_since + WRITING_PATIENCE;
    worklist_wait(place->root->list, place, MIN(pause_ends, writing_ends) - now);
    return !place->amid;
}

/* Nothing is recorded that only the writer's close would end: that may not be reported. */
bool place_meet_writer(struct place *place, uint64_t idle)
{
    uint64_t now = worklist_now();

    place->written = MAX(place->written, now - MIN(idle, now));
    if (now >= place->written + PAUSE_PATIENCE)
        return false;
    if (place->writing_since == 0)
        place->writing_since = place->written;
    uint64_t pause_ends = place->written + PAUSE_PATIENCE;
    uint64_t writing_ends = place->writing_since + WRITING_PATIENCE;
    place->amid = now >= writing_ends;
    if (place->amid) {
        place->writing_since = now;
        return false;
    }
    place->forced = true;
    worklist_wait(place->root->list, place, MIN(pause_ends, writing_ends) - now);
    return true;
}

void place_hear(struct place *place, uint32_t mask)
{
    if ((mask & IN_ATTRIB) && place->directory)
        place->rescan = true; /* it may be allowed now */
    if (mask & (IN_CREATE | IN_MOVED_TO)) {
        place->forced = true;
        place->rescan = true;
        place_forget_writers(place);
        place->writing_since = place->written = 0; /* of another file */
        place->created = (mask & (IN_CREATE | IN_ISDIR)) == IN_CREATE;
    }
    if (mask & (IN_CLOSE_WRITE | IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM))
        place_forget_writers(place);
    if (mask & IN_CLOSE_WRITE)
        place->forced = true; /* mapped memory is written without an event, and possibly without
                                 changing the time */
    place->created_there = false;
    if (mask & IN_MODIFY) {
        hear_writing(place, &place->writing);
        return;
    }
    worklist_mark(place->root->list, place);
}

/* Closing files in it is not reported to them. */
static void forget_all_writers(struct directory *directory)
{
    GHashTableIter iter;
    void *child;

    g_hash_table_iter_init(&iter, directory->children);
    while (g_hash_table_iter_next(&iter, NULL, &child))
        place_forget_writers(child);
}

void place_enter(struct place *place, const char *resolved, const struct stat *st)
{
    struct directory *directory = place->directory;

    if (!directory) {
        directory = place->directory = g_new0(struct directory, 1);
        directory->path = place_name(place);
        directory->children = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_place);
        directory->ignored = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        directory->depth = place->parent ? place->parent->directory->depth + 1 : 0;
    }
    g_free(directory->resolved);
    directory->resolved = g_strdup(resolved);
    directory->dev = st->st_dev;
    directory->ino = st->st_ino;
    if (!directory->entered)
        place->root->n_directories++;
    directory->entered = true;

    /* The new point first: for the same inode the kernel's watch then stays. */
    struct watch_point *old = directory->watch;
    (void)!watch_add(place->root->list->watch, &directory->watch, resolved, DIRECTORY_MASK, NULL,
                     on_directory, place);
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

void place_leave(struct place *place)
{
    struct directory *directory = place->directory;

    end_scan(directory);
    directory->watch = watch_point_free(directory->watch);
    if (directory->entered)
        place->root->n_directories--;
    directory->entered = false;
    g_hash_table_remove_all(directory->ignored);
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

struct place *place_free(struct place *place)
{
    if (!place)
        return NULL;
    if (place->directory)
        place_leave(place);
    free_directory(place->directory);
    if (place->root->refused == place)
        place->root->refused = NULL;
    worklist_forget(place->root->list, place);
    file_free(place->file);
    path_watch_free(place->path_watch);
    watch_point_free(place->inode);
    g_clear_pointer(&place->diagnostics, g_ptr_array_unref);
    g_free(place->resolved);
    g_free(place->name);
    g_free(place);
    return NULL;
}

void place_for_each_below(struct place *place, void (*each)(void *userdata, struct place *place),
                          void *userdata)
{
    GHashTableIter iter;
    void *child;

    if (!place->directory)
        return;
    g_hash_table_iter_init(&iter, place->directory->children);
    while (g_hash_table_iter_next(&iter, NULL, &child))
        place_for_each(child, each, userdata);
}

void place_for_each(struct place *place, void (*each)(void *userdata, struct place *place),
                    void *userdata)
{
    place_for_each_below(place, each, userdata);
    each(userdata, place);
}

void place_watch_inode(struct place *place, const char *path)
{
    struct watch_point *old = place->inode;

    (void)!watch_add(place->root->list->watch, &place->inode, path, INODE_MASK, NULL, on_inode,
                     place);
    if (!watch_point_is_same(old, place->inode))
        forget_writer(place, &place->writing_elsewhere);
    watch_point_free(old);
}

void place_unwatch_inode(struct place *place)
{
    place->inode = watch_point_free(place->inode);
    forget_writer(place, &place->writing_elsewhere);
}
