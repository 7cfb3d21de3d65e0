/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The container runtimes that the configuration names under `sources`: their directories are
 * watched, and what each file in them says of running pods is handed over as a whole. Some name
 * manifests, too.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/config/config.h"
#include "lib/util/error.h"

struct runtimes;

struct runtimes_callbacks {
    /* The current sightings in a file (struct sighting *, ownership passes on); NULL: none. */
    void (*seen)(void *userdata, const char *path, GPtrArray *sightings);
    /* Manifests besides those of the configuration (struct config_directory *), instead of those
     * named before. */
    void (*manifests)(void *userdata, const GPtrArray *directories);
    /* All changes so far have been handed over. */
    void (*settled)(void *userdata);
    void *userdata;
};

/* Reads all existing files before returning, without calling `settled`; so does a reload, which
 * also withdraws the sightings of runtimes that are no longer configured. */
MUST_USE int runtimes_new(struct runtimes **runtimesp, sd_event *event, const struct config *config,
                          const struct runtimes_callbacks *callbacks);
struct runtimes *runtimes_free(struct runtimes *runtimes); /* returns NULL; tells nothing */
void runtimes_reload(struct runtimes *runtimes, const struct config *config);

/* Which runtimes see pods by this configuration, "podman or cni", to be freed; NULL: none. */
char *runtimes_names(const struct config *config);

/* The name of this node as runtimes know it, to be freed. */
char *runtimes_node(const struct config *config);

struct runtime_status {
    const char *name;      /* "podman", ... */
    const char *directory; /* where its files are */
    const char *watch;     /* "inotify", "polling", "missing" or "unreadable" */
    const char *problem;   /* what is wrong, or NULL */
    unsigned n_files;      /* that were read */
};

/* Calls `each` for every one of them, in the order of the configuration; and for each of its files
 * that something is wrong with, `directory` being the file's path then. */
void runtimes_status(const struct runtimes *runtimes,
                     void (*each)(void *userdata, const struct runtime_status *status),
                     void *userdata);
