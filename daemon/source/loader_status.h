/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What reports show of the loader: how far it is, its directories and files, what is wrong with
 * them, and which names it skips. May be called between pieces of the work.
 */
#pragma once

#include "loader.h"

/* How far the batch at hand is. */
struct loader_progress {
    unsigned files, files_found; /* read, and to be read as far as is known by now */
    uint64_t objects;            /* in those that were read */
    bool reads;                  /* files are being read, or wait for it */
};
void loader_progress(const struct loader *loader, struct loader_progress *progress);

struct loader_file_status {
    const char *path;
    unsigned n_objects;
    const GPtrArray *diagnostics; /* struct diagnostic *, standing */
    bool stale;                   /* it shows its last good objects, not its present content */
    uint64_t stale_since;         /* CLOCK_REALTIME, microseconds */
};

/* Calls `each` for every known file, and for a directory that something is wrong with, by rank and
 * path. */
void loader_status(const struct loader *loader,
                   void (*each)(void *userdata, const struct loader_file_status *status),
                   void *userdata);

struct loader_directory_status { /* one entry of `manifests` */
    const char *path;
    const char *zone; /* NULL: the main one */
    unsigned n_files, n_objects;
    bool missing;
    bool polled; /* for want of inotify watches changes are looked for now and then */
};

/* Calls `each` for every configured directory, in their order. */
void loader_directories(const struct loader *loader,
                        void (*each)(void *userdata, const struct loader_directory_status *status),
                        void *userdata);

enum loader_why { /* a name is skipped */
                  LOADER_HIDDEN,
                  LOADER_LEFTOVER,      /* of an editor or a package manager */
                  LOADER_OTHER_ENDING,  /* neither .yaml, .yml nor .json */
                  LOADER_NOT_RECURSIVE, /* a directory, and `recursive` is not set */
                  LOADER_SKIPPED,       /* by another file, as in k3s */
                  LOADER_WHYS
};

/* How many names in the directories are skipped; calls `each` for every one of them unless it is
 * NULL. */
size_t loader_ignored(const struct loader *loader,
                      void (*each)(void *userdata, const char *directory, const char *name,
                                   enum loader_why why),
                      void *userdata);
