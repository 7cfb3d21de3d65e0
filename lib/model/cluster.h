/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cluster that the manifests describe: objects in, names out. Told what each source says, it
 * brings the published zone up to date, at a cost that follows the change: an object marks the
 * Services it concerns, only those are worked out again. Knows no file descriptor, no YAML and no
 * snapshot.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster_options.h"
#include "leases.h"
#include "lib/util/between.h"
#include "object.h"
#include "sighting.h"
#include "zone.h"

struct cluster;

/* What keeps the leases; leases_restore may be called before the first cluster_update. */
typedef void (*cluster_lease_changed)(void *userdata, enum lease_event event,
                                      const struct lease *lease);

/* `between` is called between two objects of cluster_replace and two things of cluster_update; the
 * cluster may be looked at there (view.h). */
struct cluster *cluster_new(const struct zone_sink *sink, cluster_lease_changed lease_changed,
                            void *userdata, struct between between);
struct cluster *cluster_free(struct cluster *cluster); /* returns NULL */

struct leases *cluster_leases(struct cluster *cluster);

/* Options from now on (copied), to be set before anything else. If they are others, the next update
 * works everything out again. */
void cluster_configure(struct cluster *cluster, const struct cluster_options *wanted);

/* Calls `at` with the source of each object that is about to be worked out; NULL: no more. */
void cluster_observe(struct cluster *cluster,
                     void (*at)(void *userdata, const struct source *source), void *userdata);

/* What a source says now; see catalog_replace. What follows from it is left to cluster_update. */
void cluster_replace(struct cluster *cluster, struct source *source, GPtrArray *objects);

/* What a file of a runtime says now (struct sighting *, ownership passes on), instead of what it
 * said before; NULL: nothing any more. What follows from it is left to cluster_update. */
void cluster_see(struct cluster *cluster, const char *path, GPtrArray *sightings);

/* Works out what follows from all that was said. What the sink has been told since the last time is
 * then one consistent state, to be published as a whole. The first time all manifests must have
 * been read: leases of what is no longer there end. */
void cluster_update(struct cluster *cluster);

/* How many objects cluster_replace has taken in so far. */
uint64_t cluster_taken(const struct cluster *cluster);

/* Objects in force. */
unsigned cluster_size(const struct cluster *cluster);
