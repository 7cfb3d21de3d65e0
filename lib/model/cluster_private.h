/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of a cluster, shared by its files: cluster.c (lifetime, options), index.c (adding and
 * removing objects), reconcile.c (recomputing what is dirty), cluster_read.c (looking at it).
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
    GHashTable *bare_pods;  /* set of struct bare_pod */
    const struct labels *no_labels;
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

/* An object comes into effect (or goes out of it): updates the indexes, and puts what it concerns
 * on the queue. */
void index_object(struct cluster *cluster, struct object *object, bool in);

/* A pod name of the namespace comes or goes; does nothing if pod names are not kept. */
void index_pod_name(struct cluster *cluster, struct ns *ns, const struct address *pod_ip, bool in);

/* The holder of a lease, by its key "namespace/Kind/name[/ordinal]", must be recomputed. */
void index_lease_holder(struct cluster *cluster, const char *key);

/* Callbacks of the sightings. An object, or a sighting, states an address or no longer does so: a
 * lease of it gives way. The pods of a holder must be recomputed. */
void index_address(void *cluster, const struct address *address, bool stated);
void index_holder(void *cluster, const struct holder_key *key);

/* May names of the namespace be looked up? The option is for all zones. */
bool cluster_exposes(const struct cluster *cluster, const char *ns);

void cluster_service_free(struct service_state *state);
void cluster_workload_free(struct workload_state *state);

/* Withdraws the pod names that were claimed. */
void cluster_withdraw_pod(struct cluster *cluster, struct bare_pod *pod);
void cluster_withdraw_replicas(struct cluster *cluster, struct workload_state *state);
