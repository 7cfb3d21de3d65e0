/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * readdir(3), resumable. A name that it does not return is not assumed to be gone: a directory that
 * is being changed may hide existing names, so the place is examined like any other.
 */
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diagnostics.h"
#include "lib/manifest/manifest_name.h"
#include "look.h"
#include "projected.h"

#define ENTRIES_PER_STEP 64
#define ATTEMPTS_MAX 5
#define RETRY_DELAY 10000 /* microseconds */

/* 0 or negative errno. */
static int begin(struct place *place)
{
    struct directory *directory = place->directory;
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

static void meet(struct worklist *list, struct place *place, const struct dirent *entry)
{
    struct directory *directory = place->directory;
    const char *name = entry->d_name;
    bool entered =
        place->root->recursive && manifest_name_is_entered(name) && may_be_directory(entry->d_type);

    if (!manifest_name_is_read(name) && !entered) {
        place_pass_over(place, name, entry->d_type == DT_DIR);
        return;
    }
    struct place *child = place_child(place, name);
    if (!child)
        return;
    child->round = directory->round;
    child->rescan = true;
    worklist_mark_now(list, child);
}

static void end(struct worklist *list, struct place *place)
{
    struct directory *directory = place->directory;
    GHashTableIter iter;
    void *value;

    closedir(directory->scan);
    directory->scan = NULL;
    g_hash_table_iter_init(&iter, directory->children);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct place *child = value;
        if (child->round != directory->round && !child->absent)
            worklist_mark_now(list, child);
    }
    worklist_done(list, place);
}

static void fail(struct worklist *list, struct place *place, int error)
{
    if (place->directory->scan)
        closedir(place->directory->scan);
    place->directory->scan = NULL;
    bool replaced = error == ENOENT || error == ENOTDIR || error == ELOOP;
    if (replaced && ++place->directory->attempts <= ATTEMPTS_MAX) {
        place->rescan = true;
        worklist_wait(list, place, RETRY_DELAY);
    } else {
        place->directory->attempts = 0;
        look_complain(place, "unreadable", error, "cannot be listed");
        worklist_wait_for_means(list, place, error);
    }
    worklist_done(list, place);
}

void scan_step(struct worklist *list, struct place *place)
{
    struct directory *directory = place->directory;

    if (place->root->retired || !directory->entered) {
        worklist_done(list, place);
        return;
    }
    if (!directory->scan) {
        int r = begin(place);
        if (r < 0) {
            fail(list, place, -r);
            return;
        }
    }
    for (unsigned i = 0; i < ENTRIES_PER_STEP; i++) {
        errno = 0;
        const struct dirent *entry = readdir(directory->scan);
        if (!entry && errno != 0) {
            fail(list, place, errno);
            return;
        }
        if (!entry) {
            diagnostics_replace(&place->diagnostics, NULL, directory->path);
            directory->attempts = 0;
            end(list, place);
            return;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (++directory->n_entries > DIRECTORY_ENTRIES_MAX) {
            look_complain(place, "too-many-entries", 0, "has more than 100000 entries");
            end(list, place);
            return;
        }
        meet(list, place, entry);
    }
}
