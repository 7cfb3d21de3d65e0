/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cluster that the manifests describe: objects in, names out. Given the objects of each source,
 * it brings the published zone up to date, at a cost proportional to the change: an object marks
 * the Services it concerns, and only those are recomputed. Knows no file descriptor, no YAML and no
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

/* Persists the leases; leases_restore may be called before the first cluster_reconcile. */
typedef void (*cluster_lease_changed)(void *userdata, enum lease_event event,
                                      const struct lease *lease);

/* `between` is called between two objects of cluster_replace and two things of cluster_reconcile;
 * the cluster may be read there (cluster_read.h). */
struct cluster *cluster_new(const struct zone_sink *sink, cluster_lease_changed lease_changed,
                            void *userdata, struct between between);
struct cluster *cluster_free(struct cluster *cluster); /* returns NULL */

struct leases *cluster_leases(struct cluster *cluster);

/* Sets the options (copied), before anything else. If they differ, the next update recomputes
 * everything. */
void cluster_configure(struct cluster *cluster, const struct cluster_options *wanted);

/* Calls `at` with the source of each object about to be processed; NULL: done. */
void cluster_observe(struct cluster *cluster,
                     void (*at)(void *userdata, const struct source *source), void *userdata);

/* The current objects of a source; see catalog_replace. Their consequences are left to
 * cluster_reconcile. */
void cluster_replace(struct cluster *cluster, struct source *source, GPtrArray *objects);

/* The objects of a source belong to another one now; see catalog_move. */
void cluster_move(struct cluster *cluster, struct source *from, struct source *to);

/* The current contents of a runtime's file (struct sighting *, takes ownership), replacing the
 * previous ones; NULL: none. `file` identifies it. The consequences are left to cluster_reconcile.
 */
void cluster_see(struct cluster *cluster, const void *file, GPtrArray *sightings);

/* Computes the consequences of all changes. What the sink has received since the last call is then
 * one consistent state, to be published as a whole. Before the first call all manifests must have
 * been read: leases of missing objects end. */
void cluster_reconcile(struct cluster *cluster);

/* How many objects cluster_replace has taken in so far. */
uint64_t cluster_taken(const struct cluster *cluster);

/* Objects in effect. */
unsigned cluster_size(const struct cluster *cluster);
