/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The container runtimes configured under `sources`: their directories are watched, and each file's
 * data about running pods is delivered as a whole. Some name manifests, too.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/config/config.h"
#include "lib/util/error.h"

struct runtimes;

struct runtimes_callbacks {
    /* The current sightings in a file (struct sighting *, takes ownership); NULL: none. `file`
     * identifies it until then. */
    void (*seen)(void *userdata, const void *file, GPtrArray *sightings);
    /* Manifests in addition to the configuration (struct config_directory *), replacing those named
     * before. */
    void (*manifests)(void *userdata, const GPtrArray *directories);
    /* All changes so far have been delivered. */
    void (*settled)(void *userdata);
    void *userdata;
};

/* Reads all existing files before returning, without calling `settled`; so does a reload, which
 * also withdraws the sightings of runtimes that are no longer configured. */
MUST_USE int runtimes_new(struct runtimes **runtimesp, sd_event *event, const struct config *config,
                          const struct runtimes_callbacks *callbacks);
struct runtimes *runtimes_free(struct runtimes *runtimes); /* returns NULL; reports nothing */
void runtimes_reload(struct runtimes *runtimes, const struct config *config);

/* Which runtimes report pods in this configuration, "podman or cni", to be freed; NULL: none. */
char *runtimes_names(const struct config *config);

/* The name of this node as runtimes know it, to be freed. */
char *runtimes_node(const struct config *config);

struct runtime_status {
    const void *source;    /* as in its sightings */
    const char *name;      /* "podman", ... */
    const char *directory; /* where its files are */
    const char *watch;     /* "inotify", "polling", "missing", "removed" or "unreadable" */
    const char *problem;   /* what is wrong, or NULL */
    bool failed;           /* it is that the directory cannot be read */
    unsigned n_files;      /* that were read */
};

/* Calls `each` for every one of them, in the order of the configuration; and for each of its files
 * with a problem, with `directory` set to the file's path. */
void runtimes_status(const struct runtimes *runtimes,
                     void (*each)(void *userdata, const struct runtime_status *status),
                     void *userdata);
