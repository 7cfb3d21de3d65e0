/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One path known to the loader: a configured one, or a name in a directory that it scans. It may be
 * a file today and a directory tomorrow, or nothing for now.
 */
#pragma once

#include <dirent.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "file.h"
#include "fingerprint.h"
#include "lib/util/path_watch.h"
#include "lib/util/watch.h"

struct worklist;
struct place;

/* One entry of `manifests`. */
struct root {
    struct worklist *list;
    struct place *place;
    char *path;      /* as configured, for users */
    char *namespace; /* for objects without one */
    unsigned rank;
    bool recursive;
    bool allocate;
    bool retired;           /* no longer configured; its files are being withdrawn */
    unsigned n_directories; /* directories being scanned */
    struct place *refused;  /* the directory that reports all places over the limit, or NULL */
};

struct root *root_new(struct worklist *list, const char *path);
struct root *root_free(struct root *root); /* returns NULL; frees all its places */

#define DIRECTORY_ENTRIES_MAX 100000u
#define DIRECTORY_DEPTH_MAX 32u
#define ROOT_DIRECTORIES_MAX 10000u /* links among a dozen make millions of paths */

struct directory {
    char *path;     /* for users */
    char *resolved; /* for system calls: absolute, without links */
    dev_t dev;
    ino_t ino;
    unsigned depth;
    bool entered; /* it is being scanned */
    struct watch_point *watch;
    GHashTable *children; /* name -> struct place */
    GHashTable *ignored;  /* skipped names -> whether each is a directory */
    DIR *scan;            /* while it is being read, or NULL */
    unsigned round, n_entries;
    unsigned attempts;       /* consecutive scans that found the directory replaced */
    struct fingerprint data; /* of the link ..data when it was last read; see projected.h */
    bool has_data;
    bool data_is_new; /* and the files of that set have not been delivered yet */
};

enum place_state {
    PLACE_IDLE,
    PLACE_LOOK,  /* to be examined */
    PLACE_LATER, /* to be examined in the next batch */
    PLACE_SCAN,  /* a directory that is being read */
    PLACE_READ,  /* a file that is being read or queued for it */
};

struct place {
    struct root *root;
    struct place *parent; /* NULL: the root's own */
    char *name;           /* in its parent; of a root its absolute path */
    struct file *file;
    struct directory *directory;
    struct path_watch *path_watch; /* of a root or a link */
    char *resolved;                /* where the path_watch leads to, or NULL */
    struct watch_point *inode;     /* of a file with several names, or mounted */
    GPtrArray *diagnostics;        /* current one, about a directory; or NULL */
    GList link, due_link;          /* of worklist.h */
    uint64_t due;                  /* microseconds; 0: not waiting */
    uint64_t writing_since;   /* time of the first write event, or of reading the file anyway; 0: it
                                 has been read since */
    uint64_t written;         /* time of the last one; both in microseconds */
    unsigned round;           /* its directory's last scan that found it */
    uint8_t state;            /* enum place_state */
    bool again;               /* something happened since its state was entered */
    bool has_news, is_absent; /* it is on that list of the worklist */
    bool absent;              /* there is nothing at this path now */
    bool rescan;              /* a directory: read it even if it looks the same */
    bool forced;              /* a file: read it even if it looks the same */
    bool writing;             /* a file: written to and not closed yet */
    bool writing_elsewhere;   /* the same, reported through another of its names */
    bool amid;                /* a file: read it as it is, during writing */
    bool created;             /* a file: apparently not closed by its creator yet */
    bool created_there;       /* reported for the link's target */
};

/* For system calls; free with g_free. */
char *place_path(const struct place *place);
/* For users; free with g_free. */
char *place_name(const struct place *place);

/* The place of a name in a directory, created if it is new; NULL if there are too many. */
struct place *place_child(struct place *place, const char *name);

/* A skipped name in the directory: it needs no place, and is only reported. */
void place_pass_over(struct place *place, const char *name, bool is_directory);

/* Makes it a directory, or one with another inode than before. */
void place_enter(struct place *place, const char *resolved, const struct stat *st);

/* Stops scanning it. Its children are not touched. */
void place_leave(struct place *place);

struct place *place_free(struct place *place); /* returns NULL; frees everything below it too */

/* Calls `each` for a place and everything below it (or only that), from the leaves up. `each` must
 * not free places. */
void place_for_each(struct place *place, void (*each)(void *userdata, struct place *place),
                    void *userdata);
void place_for_each_below(struct place *place, void (*each)(void *userdata, struct place *place),
                          void *userdata);

/* An inotify event about it. */
void place_hear(struct place *place, uint32_t mask);

/* Watches a file's inode, because it has other names; and stops that. */
void place_watch_inode(struct place *place, const char *path);
void place_unwatch_inode(struct place *place);

/* True while a writer is believed to have the file open and its close is still waited for. */
bool place_is_written(const struct place *place);

/* The creator or writer of the file has finished, or is no longer observed. */
void place_forget_writers(struct place *place);

/* Decides again whether to wait for a writer: not one that has paused for long, nor, now and then,
 * one that goes on and on. True: wait; the place will be examined again when that may end. */
bool place_wait_for_writers(struct place *place);

/* A writer has the file open although inotify has not reported one, or has reported that another
 * one closed it. `idle`: microseconds since the file was last changed. Decides as above, and the
 * file must be checked for a writer again. */
bool place_meet_writer(struct place *place, uint64_t idle);
