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
     * objects now, NULL if it is gone. `source` stays the same pointer for a path while it exists,
     * unless it is `moved`. Objects with `broken` set stand for "as before". */
    void (*file)(void *userdata, struct source *source, GPtrArray *objects);
    /* A file's objects, which `file` reported, belong to another source now: its directory has
     * another rank, zone or the like. */
    void (*moved)(void *userdata, struct source *from, struct source *to);
    /* A batch is complete: no known file is waiting to be read. `first` once, after the first look
     * at all directories (missing directories are waited for but not here). Also at the end of a
     * reload that has changed nothing. */
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

/* True until the batch is complete in which a reload, or the start, has looked at everything. */
bool loader_is_rereading(const struct loader *loader);

/* More manifests than the configuration names, after them in rank (struct config_directory *,
 * copied), instead of those named so before. */
void loader_name(struct loader *loader, const struct config *config, const GPtrArray *directories);

/* Hears what has happened up to now, so that nothing is lost during other work. May be called
 * between pieces, too. */
void loader_listen(struct loader *loader);

/* Objects are freed: files of which some were refused, because all together were too many, are read
 * again if there is room now. */
void loader_relieve(struct loader *loader);

/* For loader_status.c. */
struct scanner;
const struct scanner *loader_scanner(const struct loader *loader);
