/*
 * The cluster that the manifests describe: objects in, names out. Told what each source says, it
 * brings the published zone up to date in turns, at a cost that follows the change: an object marks
 * the Services it concerns, only those are worked out again. Knows no file descriptor, no YAML and
 * no snapshot.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster_options.h"
#include "leases.h"
#include "lib/util/fiber.h"
#include "object.h"
#include "zone.h"

struct cluster;

/* What keeps the leases; leases_restore may be called before the first cluster_update. */
typedef void (*cluster_lease_changed)(void *userdata, enum lease_event event,
                                      const struct lease *lease);

/* Works on `fiber`, which must outlive it and is nobody else's. */
struct cluster *cluster_new(const struct zone_sink *sink, cluster_lease_changed lease_changed,
                            void *userdata, struct fiber *fiber);
struct cluster *cluster_free(struct cluster *cluster); /* returns NULL */

struct leases *cluster_leases(struct cluster *cluster);

/* Options from the next update on (copied). Everything is worked out again if they are others. Not
 * amid of an update: what it tells the sink would be of both. */
void cluster_configure(struct cluster *cluster, const struct cluster_options *options);

/* What a source says now; see catalog_replace. Nothing happens before cluster_settle. */
void cluster_replace(struct cluster *cluster, struct source *source, GPtrArray *objects);

/* A batch is whole: what was said so far comes into force together, with the next update. The first
 * one is the first full load: when it is worked out, leases of what is no longer there end. */
void cluster_settle(struct cluster *cluster);

/* Works for about `budget` microseconds. True when an update is complete: what the sink has been
 * told since the last time is then one consistent state, to be published as a whole. A batch that
 * is settled meanwhile joins it while it still takes objects in; else it is left to another one. */
bool cluster_update(struct cluster *cluster, uint64_t budget);

/* Is there anything left to do for cluster_update? */
bool cluster_is_dirty(const struct cluster *cluster);

/* Has an update begun that is not complete? */
bool cluster_is_amid(const struct cluster *cluster);

/* Objects in force. */
unsigned cluster_size(const struct cluster *cluster);
