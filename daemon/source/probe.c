/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One look at one path. It follows links by its own path_watch, so that it is the path that was
 * watched which is read; it decides by the kind of inode found; it never waits and never reads
 * content.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diagnostics.h"
#include "lib/manifest/manifest_name.h"
#include "lib/util/log.h"
#include "skip_files.h"

/* How long a new file's maker may leave it neither written to nor closed before it is taken to have
 * come by another way than open(): link(2) gives no other event. */
#define CREATED_WAIT (100 * 1000)

static void close_file(struct queue *queue, struct entry *entry)
{
    entry_unwatch_inode(entry);
    if (!entry->file)
        return;
    g_clear_pointer(&entry->file->diagnostics, g_ptr_array_unref);
    file_vanish(entry->file);
    queue_news(queue, entry);
}

static void away(void *userdata, struct entry *entry)
{
    struct queue *queue = userdata;

    if (entry->directory)
        entry_leave(entry);
    close_file(queue, entry);
    g_clear_pointer(&entry->diagnostics, g_ptr_array_unref);
    g_clear_pointer(&entry->resolved, g_free);
    if (entry->parent) /* a configured path is waited for */
        entry->path_watch = path_watch_free(entry->path_watch);
    entry->absent = true;
    queue_absent(queue, entry);
}

void probe_withdraw(struct queue *queue, struct entry *entry)
{
    entry_for_each(entry, away, queue);
}

/* All below a directory that is none any more; the entry itself stays. */
static void close_directory(struct queue *queue, struct entry *entry)
{
    if (!entry->directory)
        return;
    entry_leave(entry);
    entry_for_each_below(entry, away, queue);
}

void probe_complain(struct entry *entry, const char *rule, int error, const char *what)
{
    g_autofree char *name = entry_name(entry);
    g_autofree char *message =
        g_strconcat(what, error ? ": " : "", error ? strerrordesc_np(error) : "",
                    "; its last known content stays in effect", NULL);

    diagnostics_replace_one(&entry->diagnostics, name, DIAGNOSTIC_ERROR, rule, message);
}

static void need_file(struct entry *entry)
{
    g_autofree char *name = entry_name(entry);

    diagnostics_replace(&entry->diagnostics, NULL, name);
    if (!entry->file)
        entry->file = file_new(name, &entry->root->origin, entry->root->queue->account);
}

static bool is_wanted_file(const struct entry *entry)
{
    return !entry->parent || (manifest_name_is_read(entry->name) && !skip_files_have(entry));
}

static bool is_wanted_directory(const struct entry *entry)
{
    return !entry->parent || (entry->root->recursive && manifest_name_is_entered(entry->name));
}

/* Neither a manifest nor a directory to enter: no entry is kept for it. */
static void pass_over(struct queue *queue, struct entry *entry, bool is_directory)
{
    entry_pass_over(entry->parent, entry->name, is_directory);
    probe_withdraw(queue, entry);
}

static bool closes_a_loop(const struct entry *entry, const struct stat *st)
{
    for (const struct entry *above = entry->parent; above; above = above->parent) {
        if (above->directory->dev == st->st_dev && above->directory->ino == st->st_ino)
            return true;
    }
    return false;
}

/* A directory that is not entered says why; nothing below it is known then. */
static void refuse_directory(struct queue *queue, struct entry *entry, const char *rule,
                             const char *message)
{
    g_autofree char *name = entry_name(entry);

    close_directory(queue, entry);
    close_file(queue, entry);
    diagnostics_replace_one(&entry->diagnostics, name, DIAGNOSTIC_ERROR, rule, message);
}

/* One of them tells of all: there may be any number. */
static void refuse_one_too_many(struct queue *queue, struct entry *entry)
{
    struct root *root = entry->root;

    if (root->refused && root->refused != entry) {
        pass_over(queue, entry, false);
        return;
    }
    root->refused = entry;
    refuse_directory(queue, entry, "too-many-directories",
                     "not entered, nor is any other: there are more than 10000 directories");
}

static void probe_directory(struct queue *queue, struct entry *entry, const char *path,
                            const struct stat *st)
{
    const struct directory *directory = entry->directory;

    if (!is_wanted_directory(entry)) {
        if (!is_wanted_file(entry)) {
            pass_over(queue, entry, true);
            return;
        }
        close_directory(queue, entry);
        need_file(entry);
        file_complain(entry->file, "not-a-file", "is a directory, and `recursive` is not set");
        return;
    }
    if (closes_a_loop(entry, st)) {
        refuse_directory(queue, entry, "directory-loop",
                         "leads back to a directory that contains it; not entered again");
        return;
    }
    if (entry->parent && entry->parent->directory->depth + 1 > DIRECTORY_DEPTH_MAX) {
        refuse_directory(queue, entry, "too-deep", "more than 32 directories deep; not entered");
        return;
    }
    bool is_entered = directory && directory->entered;
    if (!is_entered && entry->root->n_directories >= ROOT_DIRECTORIES_MAX) {
        refuse_one_too_many(queue, entry);
        return;
    }
    close_file(queue, entry);
    bool is_same = is_entered && directory->dev == st->st_dev && directory->ino == st->st_ino &&
                   strcmp(directory->resolved, path) == 0;
    if (is_same && !entry->rescan && !entry->diagnostics)
        return;
    entry->rescan = false;
    entry_enter(entry, path, st);
    queue_scan(queue, entry);
}

/* Have only its attributes changed since it was read, as was reported? */
static bool is_touched(const struct entry *entry, const char *path, const struct fingerprint *now)
{
    return entry->touched && fingerprint_same_content(now, &entry->file->seen) &&
           faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0;
}

/* Is its content to be read now? */
static bool is_due(const struct queue *queue, struct entry *entry, const char *path,
                   const struct fingerprint *now, nlink_t n_links)
{
    struct file *file = entry->file;

    if (entry_wait_for_writers(entry))
        return false;
    if (entry->created && n_links == 1 && fingerprint_age(now->mtime) < CREATED_WAIT) {
        queue_wait(entry->root->queue, entry, CREATED_WAIT);
        return false;
    }
    entry->created = false;
    if (entry->forced)
        return true;
    if (file->has_seen && is_touched(entry, path, now))
        file->seen = *now;
    entry->touched = false;
    if (file->has_seen && fingerprint_equal(now, &file->seen))
        return false;
    bool agrees = file->has_polled && fingerprint_equal(now, &file->polled);
    file->polled = *now;
    file->has_polled = true;
    return agrees || !queue->polling;
}

/* What a file was when last read, whether that may have been too early or not. */
static void probe_if_linked(void *userdata, struct entry *entry)
{
    const struct stat *st = userdata;
    const struct file *file = entry->file;

    if (file && !entry->inode && file->seen.ino == st->st_ino && file->seen.dev == st->st_dev)
        queue_mark_now(entry->root->queue, entry);
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
static void watch_links(struct queue *queue, struct entry *entry, const char *path,
                        const struct stat *st)
{
    if (st->st_nlink == 1 && !is_mount_point(path)) {
        entry_unwatch_inode(entry);
        return;
    }
    bool was_watched = entry->inode != NULL;
    entry_watch_inode(entry, path);
    if (was_watched || queue->thorough)
        return;
    struct stat same = *st;
    queue_for_each(queue, probe_if_linked, &same);
}

static const char *kind_of(mode_t mode)
{
    if (S_ISFIFO(mode))
        return "is a FIFO; not read";
    return S_ISSOCK(mode) ? "is a socket; not read" : "is a device; not read";
}

static void probe_file(struct queue *queue, struct entry *entry, const char *path,
                       const struct stat *st)
{
    struct fingerprint now = fingerprint_of(st);

    close_directory(queue, entry);
    if (!is_wanted_file(entry)) {
        pass_over(queue, entry, false);
        return;
    }
    need_file(entry);
    if (!S_ISREG(st->st_mode)) {
        entry->file->has_seen = false;
        file_complain(entry->file, "not-a-file", "%s", kind_of(st->st_mode));
        return;
    }
    watch_links(queue, entry, path, st);
    if (!is_due(queue, entry, path, &now, st->st_nlink))
        return;
    if (st->st_size < 0 || (uint64_t)st->st_size > queue->max_file_size) {
        entry->forced = false;
        entry->file->seen = now;
        entry->file->has_seen = true;
        file_complain(entry->file, "too-large", "is larger than maxFileSize (%llu bytes)",
                      (unsigned long long)queue->max_file_size);
        return;
    }
    queue_read(queue, entry);
}

/* Nothing is there: the entry is waited for if it is configured, or if a link leads here. */
static void probe_nothing(struct queue *queue, struct entry *entry, bool is_link)
{
    if (!is_link) {
        bool was_absent = entry->absent;
        probe_withdraw(queue, entry);
        if (!entry->parent && !was_absent)
            log_info("%s: does not exist yet; waiting for it", entry->name);
        return;
    }
    close_directory(queue, entry);
    entry->absent = false;
    if (entry->file) {
        file_vanish(entry->file);
        queue_news(queue, entry);
    }
    if (!is_wanted_file(entry) || entry->parent->directory->has_data)
        return; /* a projected volume that is being updated */
    need_file(entry);
    diagnostics_replace_one(&entry->file->diagnostics, entry->file->source->path,
                            DIAGNOSTIC_WARNING, "dangling-link", "is a dangling link; ignored");
}

static void on_trail(void *userdata, uint32_t mask, bool last)
{
    struct entry *entry = userdata;

    /* What happens to a directory on the way says nothing about writing or closing a file. */
    entry_on_event(entry, last ? mask : IN_ATTRIB);
    entry->created_there = last && (mask & IN_CREATE);
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
static int find(struct queue *queue, struct entry *entry, char **pathp, struct stat *st,
                bool *is_linkp)
{
    const char *from = entry->parent ? entry->parent->directory->resolved : "/";
    g_autofree char *target = NULL;

    *is_linkp = false;
    g_clear_pointer(&entry->resolved, g_free);
    if (entry->parent) {
        g_autofree char *path = entry_path(entry);
        if (lstat(path, st) < 0)
            return -errno;
        if (!S_ISLNK(st->st_mode)) {
            entry->path_watch = path_watch_free(entry->path_watch);
            *pathp = g_steal_pointer(&path);
            return 0;
        }
        *is_linkp = true;
        if (!entry->created_there)
            entry->created = false; /* it was the link that was created */
        target = read_link(path);
        if (!target)
            return -errno;
    }
    if (!entry->path_watch)
        entry->path_watch = path_watch_new(queue->watch, on_trail, entry);
    int r =
        path_watch_follow(entry->path_watch, from, target ? target : entry->name, &entry->resolved);
    if (path_watch_has_moved(entry->path_watch))
        entry_forget_writers(entry);
    if (r < 0)
        return r;
    if (stat(entry->resolved, st) < 0)
        return -errno;
    *pathp = g_strdup(entry->resolved);
    return 0;
}

static void probe_obstacle(struct entry *entry, int error)
{
    const char *rule = error == ELOOP ? "link-loop" : "unreadable";

    if (!entry->file && !(entry->parent && !entry->directory && is_wanted_file(entry))) {
        probe_complain(entry, rule, error, "cannot be reached");
        return;
    }
    need_file(entry);
    entry->file->has_seen = false;
    file_complain(entry->file, rule, "cannot be reached: %s", strerrordesc_np(error));
}

void probe_entry(struct queue *queue, struct entry *entry)
{
    g_autofree char *path = NULL;
    bool is_link;
    struct stat st;

    if (entry->root->retired || (entry->parent && !entry->parent->directory->entered))
        return;
    if (entry->root->refused == entry)
        entry->root->refused = NULL;
    int r = find(queue, entry, &path, &st, &is_link);
    if (r == -ENOENT || r == -ENOTDIR) {
        probe_nothing(queue, entry, is_link);
        return;
    }
    entry->absent = false;
    if (r < 0) {
        probe_obstacle(entry, -r);
        return;
    }
    if (S_ISDIR(st.st_mode))
        probe_directory(queue, entry, path, &st);
    else
        probe_file(queue, entry, path, &st);
}
