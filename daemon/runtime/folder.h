/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A directory of a runtime, watched: which of its names may be new, changed or gone. A file counts
 * as changed when it has been written and closed, renamed or removed; its content is the caller's
 * concern, and so are directories below.
 */
#pragma once

#include <stdbool.h>

#include "lib/util/watch.h"

struct folder;

/* Why an entry is examined; of several reasons, the last counts. */
enum folder_reason {
    FOLDER_NO_REASON,
    FOLDER_TOUCHED, /* its permissions or owner may have changed, but not its content */
    FOLDER_SCANNED, /* nothing was reported, but it may look different */
    FOLDER_CHANGED, /* a change was reported, even if it looks the same as before */
};

struct folder_callbacks {
    /* folder_run has something to do. */
    void (*wake)(void *userdata);
    /* Examines an entry. *datap is the caller's, NULL at first; `name` lives as long. Returns
     * whether the entry exists, else it and *datap are freed. */
    bool (*entry)(void *userdata, const char *name, enum folder_reason reason, void **datap);
    void (*free_data)(void *data); /* may be NULL if there is none */
    void *userdata;
};

/* `directories`: it is directories in it that count, else files. */
struct folder *folder_new(struct watch *watch, const char *path, bool directories,
                          const struct folder_callbacks *callbacks);
struct folder *folder_free(struct folder *folder); /* returns NULL */

/* Makes the next folder_run examine every entry. */
void folder_rescan(struct folder *folder);

/* Calls `entry` for every entry that may have changed. It may enter the folder, which the caller
 * leaves. */
void folder_run(struct folder *folder);

/* Calls `each` with the caller's data of every entry that has some, in no order. */
void folder_each(const struct folder *folder, void (*each)(void *userdata, void *data),
                 void *userdata);

/* A descriptor of the directory for openat() and its like, opened once until folder_leave; negative
 * errno. Files are reached through it, because a whole path for each of thousands takes longer. */
int folder_enter(struct folder *folder);
void folder_leave(struct folder *folder); /* so that the file system can be unmounted */

const char *folder_path(const struct folder *folder);             /* as it was given */
char *folder_file(const struct folder *folder, const char *name); /* a path in it, to be freed */

/* Why it cannot be read, errno; or 0. ESTALE: it is mounted here and was removed elsewhere. E2BIG:
 * there are more than FOLDER_ENTRIES_MAX entries, of which the first are known. */
#define FOLDER_ENTRIES_MAX 100000
int folder_error(const struct folder *folder);
