/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader: directories of manifests -> the objects of each file. Watches with inotify, reads
 * files whose fingerprint changed, keeps each file's last good content, and delivers batches:
 * everything that one scan of the directories found. It works for as long as there is something to
 * do, so its event loop needs a thread of its own.
 */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/config/config.h"
#include "lib/model/object.h"
#include "lib/util/between.h"
#include "lib/util/diagnostic.h"
#include "lib/util/error.h"

struct loader;

struct loader_callbacks {
    /* One file's objects have changed: `objects` (struct object *, ownership passes on) are all its
     * objects now, NULL if it is gone. `source` stays the same pointer for a path while it exists.
     * Objects with `broken` set stand for "as before". */
    void (*file)(void *userdata, struct source *source, GPtrArray *objects);
    /* A batch is complete: no known file is waiting to be read. `first` once, after the first look
     * at all directories (missing directories are waited for but not here). */
    void (*settled)(void *userdata, bool first);
    /* A file that was read now has an error and had none before, or (NULL) no longer has one. May
     * be NULL. */
    void (*trouble)(void *userdata, const char *path, const struct diagnostic *error);
    /* A file is about to be read, with this content, or (NULL) reading has ended. Returns how often
     * the daemon died at it during startup: from `deaths_max` on it is skipped. May be NULL. */
    unsigned (*reading)(void *userdata, const char *path, uint64_t stamp);
    unsigned deaths_max;
    void *userdata;
    struct between between; /* called between two steps of the work, each a file or less */
};

/* Opens the directories of `config->manifests` on `event`; reading starts with the event loop. */
MUST_USE int loader_new(struct loader **loaderp, sd_event *event, const struct config *config,
                        const struct loader_callbacks *callbacks);
struct loader *loader_free(struct loader *loader); /* returns NULL */

/* Looks at everything again (SIGHUP, with the configuration then in force): directories that are no
 * longer listed lose their files; all files are read again if a rank, namespace, zone, `allocate`
 * or `maxFileSize` that concerns them changed. */
void loader_reload(struct loader *loader, const struct config *config);

/* More manifests than the configuration names, after them in rank (struct config_directory *,
 * copied), instead of those named so before. */
void loader_name(struct loader *loader, const struct config *config, const GPtrArray *directories);

/* Hears what has happened up to now, so that nothing is lost during other work. May be called
 * between pieces, too. */
void loader_listen(struct loader *loader);

/* How far the batch at hand is. */
struct loader_progress {
    unsigned files, files_found; /* read, and to be read as far as is known by now */
    uint64_t objects;            /* in those that were read */
    bool reads;                  /* files are being read, or wait for it */
};
void loader_progress(const struct loader *loader, struct loader_progress *progress);

/* Objects are freed: files of which some were refused, because all together were too many, are read
 * again if there is room now. */
void loader_relieve(struct loader *loader);

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
                  LOADER_WHYS
};

/* How many names in the directories are skipped; calls `each` for every one of them unless it is
 * NULL. */
size_t loader_ignored(const struct loader *loader,
                      void (*each)(void *userdata, const char *directory, const char *name,
                                   enum loader_why why),
                      void *userdata);
