/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One runtime of the configuration: its directory, its files, and what is wrong with them.
 */
#pragma once

#include "lib/util/watch.h"
#include "runtimes.h"

struct runtime_source;

struct runtime_source_callbacks {
    void (*wake)(void *userdata);
    void (*seen)(void *userdata, const void *file, GPtrArray *sightings);
    void (*units)(void *userdata); /* the result of runtime_source_manifests may have changed */
    void *userdata;
};

struct runtime_source *runtime_source_new(struct watch *watch, const struct config_source *config,
                                          const struct runtime_source_callbacks *callbacks);
void runtime_source_free(gpointer userdata);

/* Is it what the configuration asks for? */
bool runtime_source_fits(const struct runtime_source *source, const struct config_source *config);

/* Processes the changes reported so far. */
void runtime_source_run(struct runtime_source *source);

/* Makes the next run examine every file. */
void runtime_source_rescan(struct runtime_source *source);

/* Withdraws all its sightings. */
void runtime_source_withdraw(struct runtime_source *source);

/* Adds the manifests that it names (struct config_directory *), each path once. */
void runtime_source_manifests(const struct runtime_source *source, GPtrArray *named);

/* Its directory; of two, the unreadable one. */
const char *runtime_source_path(const struct runtime_source *source);

/* See runtimes_status. */
void runtime_source_status(const struct runtime_source *source, bool polled,
                           void (*each)(void *userdata, const struct runtime_status *status),
                           void *userdata);
