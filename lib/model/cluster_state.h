/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a cluster consists of. index.c adds objects and removes them, reconcile.c computes what
 * follows, cluster_read.c and cluster_read_why.c look at it.
 */
#pragma once

#include "catalog.h"
#include "cluster.h"
#include "dirty_queue.h"
#include "namespace.h"
#include "pods.h"
#include "reverse.h"
#include "service.h"
#include "sightings.h"
#include "workload.h"

/* What all states of one kind have together. */
struct shared_limit {
    uint32_t used;
    GHashTable *over; /* set of states: those over the limit */
    bool has_room;    /* `used` has dropped since the last of them was refused */
};

struct cluster {
    struct zone_sink sink;
    cluster_lease_changed lease_changed;
    void *userdata;
    struct catalog *catalog;
    struct leases *leases;
    struct reverse *reverse;
    struct sightings *sightings;
    GHashTable *namespaces; /* interned name -> struct ns * */
    struct dirty_queue dirty;

    struct between between;
    bool swept; /* the first full load is done: leases that it did not claim have ended */

    struct cluster_options *options; /* NULL before they are set */
    struct pods pods;
    struct service_options service_options;
    struct shared_limit endpoints;                           /* of struct service_state */
    struct shared_limit replicas;                            /* of struct workload_state */
    void (*at)(void *userdata, const struct source *source); /* see cluster_observe; or NULL */
    void *at_userdata;

    uint64_t refused[LEASE_USES]; /* leases that could not be had, as last logged */
};

/* May names of the namespace be looked up? The option is for all zones. */
bool cluster_exposes(const struct cluster *cluster, const char *ns);
