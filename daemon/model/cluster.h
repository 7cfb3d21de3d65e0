/*
 * The cluster that the manifests describe: objects in, names out. Told what each source says, it
 * brings the published zone up to date in bounded steps, at a cost that follows the change: an
 * object marks the Services it concerns, only those are worked out again. Knows no file descriptor,
 * no YAML and no snapshot.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "leases.h"
#include "object.h"
#include "zone.h"

struct cluster;

struct cluster_options {
    const GArray *node_ips;                  /* struct address */
    const GArray *pod_cidrs, *service_cidrs; /* struct address_range */
    bool allocate;                           /* at all; sources may still not */
    bool pod_names;                          /* keep pods' names (pods: verified) */
    bool endpoint_pod_names, ignore_empty_service;
    char *const *namespaces; /* exposed ones; NULL: all */
};

/* What keeps the leases; leases_restore may be called before the first cluster_update. */
typedef void (*cluster_lease_changed)(void *userdata, enum lease_event event,
                                      const struct lease *lease);

struct cluster *cluster_new(const struct zone_sink *sink, cluster_lease_changed lease_changed,
                            void *userdata);
struct cluster *cluster_free(struct cluster *cluster); /* returns NULL */

struct leases *cluster_leases(struct cluster *cluster);

/* Options from now on (copied). Everything is worked out again by cluster_update. */
void cluster_configure(struct cluster *cluster, const struct cluster_options *options);

/* What a source says now; see catalog_replace. Nothing happens before cluster_update. */
void cluster_replace(struct cluster *cluster, struct source *source, GPtrArray *objects);

/* Takes queued objects in for about `budget` microseconds, working nothing out yet: for while a
 * batch is still being read. True when none is queued. */
bool cluster_absorb(struct cluster *cluster, uint64_t budget);

/* Works for about `budget` microseconds. True when everything is up to date: what the sink has been
 * told since the last time is then one consistent state, to be published as a whole. */
bool cluster_update(struct cluster *cluster, uint64_t budget);

/* Is there anything left to do for cluster_update? */
bool cluster_is_dirty(const struct cluster *cluster);

/* The first full load is up to date: leases of what is no longer there end. */
void cluster_loaded(struct cluster *cluster);

/* Objects in force. */
unsigned cluster_size(const struct cluster *cluster);
