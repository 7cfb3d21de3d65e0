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
#include "lib/util/fingerprint.h"
#include "lib/util/path_watch.h"
#include "lib/util/watch.h"

struct queue;
struct entry;

/* One entry of `manifests`. */
struct root {
    struct queue *queue;
    struct entry *entry;
    char *path; /* as configured, for users */
    char *ns;   /* for objects without one */
    struct origin origin;
    bool recursive;
    bool skips;             /* see config_directory */
    GHashTable *skipped;    /* set of names of manifests; see skip_files.h */
    bool retired;           /* no longer configured; its files are being withdrawn */
    unsigned n_directories; /* directories being scanned */
    struct entry *refused;  /* the directory that reports all entries over the limit, or NULL */
};

struct root *root_new(struct queue *queue, const char *path);
void root_free(void *userdata); /* frees all its entries */

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
    GHashTable *children; /* name -> struct entry */
    GHashTable *ignored;  /* skipped names -> whether each is a directory */
    DIR *scan;            /* while it is being read, or NULL */
    unsigned round, n_entries;
    unsigned attempts;       /* consecutive scans that found the directory replaced */
    struct fingerprint data; /* of the link ..data when it was last read; see projected.h */
    bool has_data;
    bool data_is_new; /* and the files of that set have not been delivered yet */
};

enum entry_state {
    ENTRY_IDLE,
    ENTRY_PROBE, /* to be examined */
    ENTRY_LATER, /* to be examined in the next batch */
    ENTRY_SCAN,  /* a directory that is being read */
    ENTRY_READ,  /* a file that is being read or queued for it */
    ENTRY_STATES
};

struct entry {
    struct root *root;
    struct entry *parent; /* NULL: the root's own */
    char *name;           /* in its parent; of a root its absolute path */
    struct file *file;
    struct directory *directory;
    struct path_watch *path_watch; /* of a root or a link */
    char *resolved;                /* where the path_watch leads to, or NULL */
    struct watch_point *inode;     /* of a file with several names, or mounted */
    GPtrArray *diagnostics;        /* current one, about a directory; or NULL */
    GList link, due_link;          /* of queue.h */
    uint64_t due;                  /* microseconds; 0: not waiting */
    uint64_t writing_since;   /* time of the first write event, or of reading the file anyway; 0: it
                                 has been read since */
    uint64_t written;         /* time of the last one; all in microseconds */
    uint64_t closed;          /* when a close was last reported, or may have been; 0: none */
    unsigned round;           /* its directory's last scan that found it */
    uint8_t state;            /* enum entry_state */
    bool again;               /* something happened since its state was entered */
    bool has_news, is_absent; /* it is on that list of the queue */
    bool absent;              /* there is nothing at this path now */
    bool rescan;              /* a directory: read it even if it looks the same */
    bool forced;              /* a file: read it even if it looks the same */
    bool writing;             /* a file: written to and not closed yet */
    bool writing_elsewhere;   /* the same, reported through another of its names */
    bool unguarded;           /* a file: read it as it is, during writing */
    bool created;             /* a file: apparently not closed by its creator yet */
    bool created_there;       /* reported for the link's target */
    bool touched;             /* a file: a change of its attributes was reported */
};

/* For system calls; free with g_free. */
char *entry_path(const struct entry *entry);
/* For users; free with g_free. */
char *entry_name(const struct entry *entry);

/* The entry of a name in a directory, created if it is new; NULL if there are too many. */
struct entry *entry_child(struct entry *entry, const char *name);

/* A skipped name in the directory: it needs no entry, and is only reported. */
void entry_pass_over(struct entry *entry, const char *name, bool is_directory);

/* Makes it a directory, or one with another inode than before. */
void entry_enter(struct entry *entry, const char *resolved, const struct stat *st);

/* Stops scanning it. Its children are not touched. */
void entry_leave(struct entry *entry);

struct entry *entry_free(struct entry *entry); /* returns NULL; frees everything below it too */

/* Calls `each` for an entry and everything below it (or only that), from the leaves up. `each` must
 * not free entries. */
void entry_for_each(struct entry *entry, void (*each)(void *userdata, struct entry *entry),
                    void *userdata);
void entry_for_each_below(struct entry *entry, void (*each)(void *userdata, struct entry *entry),
                          void *userdata);

/* An inotify event about it. */
void entry_on_event(struct entry *entry, uint32_t mask);

/* Watches a file's inode, because it has other names; and stops that. */
void entry_watch_inode(struct entry *entry, const char *path);
void entry_unwatch_inode(struct entry *entry);

/* True while a writer is believed to have the file open and its close is still waited for. */
bool entry_is_written(const struct entry *entry);

/* The creator or writer of the file has finished, or is no longer observed. */
void entry_forget_writers(struct entry *entry);

/* Decides again whether to wait for a writer: not one that has paused for long, nor, now and then,
 * one that goes on and on. True: wait; the entry will be examined again when that may end. */
bool entry_wait_for_writers(struct entry *entry);

/* A writer has the file open although inotify has not reported one, or has reported that another
 * one closed it. `idle`: microseconds since the file was last changed. Decides as above, and the
 * file must be checked for a writer again. */
bool entry_meet_writer(struct entry *entry, uint64_t idle);
