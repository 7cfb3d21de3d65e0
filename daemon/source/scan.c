/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * readdir(3), resumable. A name that it does not return is not assumed to be gone: a directory that
 * is being changed may hide existing names, so the entry is examined like any other.
 */
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diagnostics.h"
#include "lib/manifest/manifest_name.h"
#include "probe.h"
#include "projected.h"
#include "skip_files.h"

#define ENTRIES_PER_STEP 64
#define ATTEMPTS_MAX 5
#define RETRY_DELAY 10000 /* microseconds */

/* 0 or negative errno. */
static int begin(struct entry *entry)
{
    struct directory *directory = entry->directory;
    struct stat st;

    int fd = open(directory->resolved,
                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) == 0 && (st.st_dev != directory->dev || st.st_ino != directory->ino)) {
        close(fd);
        return -ENOENT; /* replaced since it was examined */
    }
    directory->scan = fdopendir(fd);
    if (!directory->scan) {
        int error = errno;
        close(fd);
        return -error;
    }
    directory->round++;
    directory->n_entries = 0;
    g_hash_table_remove_all(directory->ignored);
    projected_note(directory);
    return 0;
}

static bool may_be_directory(unsigned char type)
{
    return type == DT_DIR || type == DT_LNK || type == DT_UNKNOWN;
}

static void meet(struct queue *queue, struct entry *entry, const struct dirent *dirent)
{
    struct directory *directory = entry->directory;
    const char *name = dirent->d_name;
    bool entered = entry->root->recursive && manifest_name_is_entered(name) &&
                   may_be_directory(dirent->d_type);

    if (!manifest_name_is_read(name) && !entered) {
        entry_pass_over(entry, name, dirent->d_type == DT_DIR);
        return;
    }
    struct entry *child = entry_child(entry, name);
    if (!child)
        return;
    if (!queue->thorough) /* it may have been closed just before its directory was watched */
        child->closed = queue_now();
    child->round = directory->round;
    child->rescan = true;
    child->touched = false; /* whatever was reported, it may look different */
    queue_mark_now(queue, child);
}

static void end(struct queue *queue, struct entry *entry)
{
    struct directory *directory = entry->directory;
    GHashTableIter iter;
    void *value;

    closedir(directory->scan);
    directory->scan = NULL;
    skip_files_changed(entry->root, NULL);
    g_hash_table_iter_init(&iter, directory->children);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct entry *child = value;
        if (child->round != directory->round && !child->absent)
            queue_mark_now(queue, child);
    }
    queue_done(queue, entry);
}

static void fail(struct queue *queue, struct entry *entry, int error)
{
    if (entry->directory->scan)
        closedir(entry->directory->scan);
    entry->directory->scan = NULL;
    bool replaced = error == ENOENT || error == ENOTDIR || error == ELOOP;
    if (replaced && ++entry->directory->attempts <= ATTEMPTS_MAX) {
        entry->rescan = true;
        queue_wait(queue, entry, RETRY_DELAY);
    } else {
        entry->directory->attempts = 0;
        probe_complain(entry, "unreadable", error, "cannot be listed");
        queue_wait_for_means(queue, entry, error);
    }
    queue_done(queue, entry);
}

void scan_step(struct queue *queue, struct entry *entry)
{
    struct directory *directory = entry->directory;

    if (entry->root->retired || !directory->entered) {
        queue_done(queue, entry);
        return;
    }
    if (!directory->scan) {
        int r = begin(entry);
        if (r < 0) {
            fail(queue, entry, -r);
            return;
        }
    }
    for (unsigned i = 0; i < ENTRIES_PER_STEP; i++) {
        errno = 0;
        const struct dirent *dirent = readdir(directory->scan);
        if (!dirent && errno != 0) {
            fail(queue, entry, errno);
            return;
        }
        if (!dirent) {
            diagnostics_replace(&entry->diagnostics, NULL, directory->path);
            directory->attempts = 0;
            end(queue, entry);
            return;
        }
        if (strcmp(dirent->d_name, ".") == 0 || strcmp(dirent->d_name, "..") == 0)
            continue;
        if (++directory->n_entries > DIRECTORY_ENTRIES_MAX) {
            probe_complain(entry, "too-many-entries", 0, "has more than 100000 entries");
            end(queue, entry);
            return;
        }
        meet(queue, entry, dirent);
    }
}
