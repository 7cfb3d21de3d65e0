/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One path that the loader knows: a configured one, or a name in a directory that it looks into. It
 * may be a file today and a directory tomorrow, or nothing for now.
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
    char *namespace; /* for objects that name none */
    unsigned rank;
    bool recursive;
    bool allocate;
    bool retired;           /* no longer configured; its files are being withdrawn */
    unsigned n_directories; /* that are being looked into */
    struct place *refused;  /* the directory that tells of all that are too many, or NULL */
};

struct root *root_new(struct worklist *list, const char *path);
struct root *root_free(struct root *root); /* returns NULL; with all its places */

#define DIRECTORY_ENTRIES_MAX 100000u
#define DIRECTORY_DEPTH_MAX 32u
#define ROOT_DIRECTORIES_MAX 10000u /* links among a dozen make millions of paths */

struct directory {
    char *path;     /* for users */
    char *resolved; /* for system calls: absolute, without links */
    dev_t dev;
    ino_t ino;
    unsigned depth;
    bool entered; /* it is being looked into */
    struct watch_point *watch;
    GHashTable *children; /* name -> struct place */
    GHashTable *ignored;  /* names that are passed over -> whether it is a directory */
    DIR *scan;            /* while it is being read, or NULL */
    unsigned round, n_entries;
    unsigned attempts;       /* in a row that found another directory than was looked at */
    struct fingerprint data; /* of the link ..data when it was last read; see projected.h */
    bool has_data;
    bool data_is_new; /* and the files of that set have not been handed over yet */
};

enum place_state {
    PLACE_IDLE,
    PLACE_LOOK,  /* to be looked at */
    PLACE_LATER, /* to be looked at in the next batch */
    PLACE_SCAN,  /* a directory that is being read */
    PLACE_READ,  /* a file that is being read or waits for it */
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
    GPtrArray *diagnostics;        /* standing, about a directory; or NULL */
    GList link, due_link;          /* of worklist.h */
    uint64_t due;                  /* microseconds; 0: not waiting */
    uint64_t writing_since;   /* when it was heard first, or the file was read nevertheless; 0: it
                               * has been read since */
    uint64_t written;         /* when it was heard last; both in microseconds */
    unsigned round;           /* its directory's last round that met it */
    uint8_t state;            /* enum place_state */
    bool again;               /* something happened since its state was entered */
    bool has_news, is_absent; /* it is on that list of the worklist */
    bool absent;              /* there is nothing at this path now */
    bool rescan;              /* a directory: read it even if it looks the same */
    bool forced;              /* a file: read it even if it looks the same */
    bool writing;             /* a file: written to and not closed yet */
    bool writing_elsewhere;   /* the same, heard through another of its names */
    bool amid;                /* a file: to be read as it is, amid its writing */
    bool created;             /* a file: its maker has not closed it yet, it seems */
    bool created_there;       /* that was heard where the link leads to */
};

/* For system calls; to be freed. */
char *place_path(const struct place *place);
/* For users; to be freed. */
char *place_name(const struct place *place);

/* The place of a name in a directory, made if it is new; NULL if there are too many. */
struct place *place_child(struct place *place, const char *name);

/* A name in the directory is passed over: it needs no place, and is only told of. */
void place_pass_over(struct place *place, const char *name, bool is_directory);

/* Makes it a directory, or one that looks into another inode than before. */
void place_enter(struct place *place, const char *resolved, const struct stat *st);

/* Ends looking into it. Its children are not touched. */
void place_leave(struct place *place);

struct place *place_free(struct place *place); /* returns NULL; with all below it */

/* Calls `each` for a place and all below it (or only those), from the leaves up. `each` must not
 * free places. */
void place_for_each(struct place *place, void (*each)(void *userdata, struct place *place),
                    void *userdata);
void place_for_each_below(struct place *place, void (*each)(void *userdata, struct place *place),
                          void *userdata);

/* What inotify said about it. */
void place_hear(struct place *place, uint32_t mask);

/* Listens to a file's inode, because it has names elsewhere; and ends that. */
void place_watch_inode(struct place *place, const char *path);
void place_unwatch_inode(struct place *place);

/* Has somebody written to the file who has not closed it yet, as far as was heard, and is he waited
 * for? */
bool place_is_written(const struct place *place);

/* Whoever made the file or writes to it has finished, or is not heard any more. */
void place_forget_writers(struct place *place);

/* Decides anew whether somebody is to be waited for: not who has paused for long, nor now and then
 * who goes on and on. True: he is, and the place will be looked at again when that may end. */
bool place_wait_for_writers(struct place *place);

/* A writer has the file open although inotify has not told of one, or has told that another one
 * closed it. `idle`: microseconds since the file was last changed. Decides as above, and the file
 * is to be asked again whether it has a writer. */
bool place_meet_writer(struct place *place, uint64_t idle);
