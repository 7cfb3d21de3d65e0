/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One look at one path. It follows links by its own path_watch, so that it is the path that was
 * watched which is read; it decides by the kind of inode found; it never waits and never reads
 * content.
 */
#include "look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "diagnostics.h"
#include "lib/manifest/manifest_name.h"
#include "lib/util/log.h"

/* How long a new file's maker may leave it neither written to nor closed before it is taken to have
 * come by another way than open(): link(2) gives no other event. */
#define CREATED_WAIT (100 * 1000)

static void close_file(struct worklist *list, struct place *place)
{
    place_unwatch_inode(place);
    if (!place->file)
        return;
    g_clear_pointer(&place->file->diagnostics, g_ptr_array_unref);
    file_vanish(place->file);
    worklist_news(list, place);
}

static void away(void *userdata, struct place *place)
{
    struct worklist *list = userdata;

    if (place->directory)
        place_leave(place);
    close_file(list, place);
    g_clear_pointer(&place->diagnostics, g_ptr_array_unref);
    g_clear_pointer(&place->resolved, g_free);
    if (place->parent) /* a configured path is waited for */
        place->path_watch = path_watch_free(place->path_watch);
    place->absent = true;
    worklist_absent(list, place);
}

void look_away(struct worklist *list, struct place *place)
{
    place_for_each(place, away, list);
}

/* All below a directory that is none any more; the place itself stays. */
static void close_directory(struct worklist *list, struct place *place)
{
    if (!place->directory)
        return;
    place_leave(place);
    place_for_each_below(place, away, list);
}

void look_complain(struct place *place, const char *rule, int error, const char *what)
{
    g_autofree char *name = place_name(place);

    diagnostics_replace_one(&place->diagnostics,
                            diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, rule, NULL,
                                           "%s%s%s; its last known content stays in effect", what,
                                           error ? ": " : "", error ? strerrordesc_np(error) : ""),
                            name);
}

static void need_file(struct place *place)
{
    g_autofree char *name = place_name(place);

    diagnostics_replace(&place->diagnostics, NULL, name);
    if (!place->file)
        place->file =
            file_new(name, place->root->rank, place->root->allocate, place->root->list->account);
}

static bool is_wanted_file(const struct place *place)
{
    return !place->parent || manifest_name_is_read(place->name);
}

static bool is_wanted_directory(const struct place *place)
{
    return !place->parent || (place->root->recursive && manifest_name_is_entered(place->name));
}

/* Neither a manifest nor a directory to enter: no place is kept for it. */
static void pass_over(struct worklist *list, struct place *place, bool is_directory)
{
    place_pass_over(place->parent, place->name, is_directory);
    look_away(list, place);
}

static bool closes_a_loop(const struct place *place, const struct stat *st)
{
    for (const struct place *above = place->parent; above; above = above->parent) {
        if (above->directory->dev == st->st_dev && above->directory->ino == st->st_ino)
            return true;
    }
    return false;
}

/* A directory that is not entered says why; nothing below it is known then. */
static void refuse_directory(struct worklist *list, struct place *place, const char *rule,
                             const char *message)
{
    g_autofree char *name = place_name(place);

    close_directory(list, place);
    close_file(list, place);
    diagnostics_replace_one(&place->diagnostics,
                            diagnostic_new(DIAGNOSTIC_ERROR, 0, 0, rule, NULL, "%s", message),
                            name);
}

/* One of them tells of all: there may be any number. */
static void refuse_one_too_many(struct worklist *list, struct place *place)
{
    struct root *root = place->root;

    if (root->refused && root->refused != place) {
        pass_over(list, place, false);
        return;
    }
    root->refused = place;
    refuse_directory(list, place, "too-many-directories",
                     "not entered, nor is any other: there are more than 10000 directories");
}

static void look_at_directory(struct worklist *list, struct place *place, const char *path,
                              const struct stat *st)
{
    const struct directory *directory = place->directory;

    if (!is_wanted_directory(place)) {
        if (!is_wanted_file(place)) {
            pass_over(list, place, true);
            return;
        }
        close_directory(list, place);
        need_file(place);
        file_complain(place->file, "not-a-file", "is a directory, and `recursive` is not set");
        return;
    }
    if (closes_a_loop(place, st)) {
        refuse_directory(list, place, "directory-loop",
                         "leads back to a directory that contains it; not entered again");
        return;
    }
    if (place->parent && place->parent->directory->depth + 1 > DIRECTORY_DEPTH_MAX) {
        refuse_directory(list, place, "too-deep", "more than 32 directories deep; not entered");
        return;
    }
    bool is_entered = directory && directory->entered;
    if (!is_entered && place->root->n_directories >= ROOT_DIRECTORIES_MAX) {
        refuse_one_too_many(list, place);
        return;
    }
    close_file(list, place);
    bool is_same = is_entered && directory->dev == st->st_dev && directory->ino == st->st_ino &&
                   strcmp(directory->resolved, path) == 0;
    if (is_same && !place->rescan && !place->diagnostics)
        return;
    place->rescan = false;
    place_enter(place, path, st);
    worklist_scan(list, place);
}

static bool is_young(const struct fingerprint *fingerprint)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - fingerprint->mtime <
           CREATED_WAIT * INT64_C(1000);
}

/* Is its content to be read now? */
static bool is_due(const struct worklist *list, struct place *place, const struct fingerprint *now,
                   nlink_t n_links)
{
    struct file *file = place->file;

    if (place_wait_for_writers(place))
        return false;
    if (place->created && n_links == 1 && is_young(now)) {
        worklist_wait(place->root->list, place, CREATED_WAIT);
        return false;
    }
    place->created = false;
    if (place->forced)
        return true;
    if (file->has_seen && fingerprint_equal(now, &file->seen))
        return false;
    bool agrees = file->has_polled && fingerprint_equal(now, &file->polled);
    file->polled = *now;
    file->has_polled = true;
    return agrees || !list->polling;
}

/* What a file was when last read, whether that may have been too early or not. */
static void look_if_linked(void *userdata, struct place *place)
{
    const struct stat *st = userdata;
    const struct file *file = place->file;

    if (file && !place->inode && file->seen.ino == st->st_ino && file->seen.dev == st->st_dev)
        worklist_mark_now(place->root->list, place);
}

/* Another directory is here now. */
static bool is_mount_point(const char *path)
{
    struct statx st;

    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &st) == 0 &&
           (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* A file with other names may be written through them, which its directory does not report. Nor
 * does it report a name that is added later: if that is in one of the configured directories, the
 * new name's event does; elsewhere the periodic rescan finds it. */
static void watch_links(struct worklist *list, struct place *place, const char *path,
                        const struct stat *st)
{
    if (st->st_nlink == 1 && !is_mount_point(path)) {
        place_unwatch_inode(place);
        return;
    }
    bool was_watched = place->inode != NULL;
    place_watch_inode(place, path);
    if (was_watched || list->thorough)
        return;
    struct stat same = *st;
    for (unsigned i = 0; i < list->roots->len; i++) {
        const struct root *root = list->roots->pdata[i];
        place_for_each(root->place, look_if_linked, &same);
    }
}

static void look_at_file(struct worklist *list, struct place *place, const char *path,
                         const struct stat *st)
{
    struct fingerprint now = fingerprint_of(st);

    close_directory(list, place);
    if (!is_wanted_file(place)) {
        pass_over(list, place, false);
        return;
    }
    need_file(place);
    watch_links(list, place, path, st);
    if (!is_due(list, place, &now, st->st_nlink))
        return;
    if (st->st_size < 0 || (uint64_t)st->st_size > list->max_file_size) {
        place->forced = false;
        place->file->seen = now;
        place->file->has_seen = true;
        file_complain(place->file, "too-large", "is larger than maxFileSize (%llu bytes)",
                      (unsigned long long)list->max_file_size);
        return;
    }
    worklist_read(list, place);
}

static const char *kind_of(mode_t mode)
{
    if (S_ISFIFO(mode))
        return "is a FIFO; not read";
    if (S_ISSOCK(mode))
        return "is a socket; not read";
    return "is a device; not read";
}

static void look_at_special(struct worklist *list, struct place *place, mode_t mode)
{
    close_directory(list, place);
    if (!is_wanted_file(place)) {
        pass_over(list, place, false);
        return;
    }
    need_file(place);
    place->file->has_seen = false;
    file_complain(place->file, "not-a-file", "%s", kind_of(mode));
}

/* Nothing is there: the place is waited for if it is configured, or if a link leads here. */
static void look_at_nothing(struct worklist *list, struct place *place, bool is_link)
{
    if (!is_link) {
        bool was_absent = place->absent;
        look_away(list, place);
        if (!place->parent && !was_absent)
            log_info("%s: does not exist yet; waiting for it", place->name);
        return;
    }
    close_directory(list, place);
    place->absent = false;
    if (place->file) {
        file_vanish(place->file);
        worklist_news(list, place);
    }
    if (!is_wanted_file(place) || place->parent->directory->has_data)
        return; /* a projected volume that is being updated */
    need_file(place);
    diagnostics_replace_one(&place->file->diagnostics,
                            diagnostic_new(DIAGNOSTIC_WARNING, 0, 0, "dangling-link", NULL,
                                           "is a dangling link; ignored"),
                            place->file->source->path);
}

static void on_trail(void *userdata, uint32_t mask, bool last)
{
    struct place *place = userdata;

    /* What happens to a directory on the way says nothing about writing or closing a file. */
    place_hear(place, last ? mask : IN_ATTRIB);
    place->created_there = last && (mask & IN_CREATE);
}

static char *read_link(const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target));

    if (length == sizeof(target))
        errno = ENAMETOOLONG;
    return length < 0 || length == sizeof(target) ? NULL : g_strndup(target, (size_t)length);
}

/* 0: `st` and *pathp describe it; else negative errno. */
static int find(struct worklist *list, struct place *place, char **pathp, struct stat *st,
                bool *is_linkp)
{
    const char *from = place->parent ? place->parent->directory->resolved : "/";
    g_autofree char *target = NULL;

    *is_linkp = false;
    g_clear_pointer(&place->resolved, g_free);
    if (place->parent) {
        g_autofree char *path = place_path(place);
        if (lstat(path, st) < 0)
            return -errno;
        if (!S_ISLNK(st->st_mode)) {
            place->path_watch = path_watch_free(place->path_watch);
            *pathp = g_steal_pointer(&path);
            return 0;
        }
        *is_linkp = true;
        if (!place->created_there)
            place->created = false; /* it was the link that was created */
        target = read_link(path);
        if (!target)
            return -errno;
    }
    if (!place->path_watch)
        place->path_watch = path_watch_new(list->watch, on_trail, place);
    int r =
        path_watch_follow(place->path_watch, from, target ? target : place->name, &place->resolved);
    if (path_watch_has_moved(place->path_watch))
        place_forget_writers(place);
    if (r < 0)
        return r;
    if (stat(place->resolved, st) < 0)
        return -errno;
    *pathp = g_strdup(place->resolved);
    return 0;
}

static void look_at_obstacle(struct place *place, int error)
{
    const char *rule = error == ELOOP ? "link-loop" : "unreadable";

    if (!place->file && !(place->parent && !place->directory && is_wanted_file(place))) {
        look_complain(place, rule, error, "cannot be reached");
        return;
    }
    need_file(place);
    place->file->has_seen = false;
    file_complain(place->file, rule, "cannot be reached: %s", strerrordesc_np(error));
}

static bool is_absence(int error)
{
    return error == ENOENT || error == ENOTDIR;
}

void look_at(struct worklist *list, struct place *place)
{
    g_autofree char *path = NULL;
    bool is_link;
    struct stat st;

    if (place->root->retired || (place->parent && !place->parent->directory->entered))
        return;
    if (place->root->refused == place)
        place->root->refused = NULL;
    int r = find(list, place, &path, &st, &is_link);
    if (r < 0 && is_absence(-r)) {
        look_at_nothing(list, place, is_link);
        return;
    }
    place->absent = false;
    if (r < 0) {
        look_at_obstacle(place, -r);
        return;
    }
    if (S_ISDIR(st.st_mode))
        look_at_directory(list, place, path, &st);
    else if (S_ISREG(st.st_mode))
        look_at_file(list, place, path, &st);
    else
        look_at_special(list, place, st.st_mode);
}
