/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of a cluster, shared by its files: cluster.c (lifetime, options), index.c (adding and
 * removing objects), dirty_queue.c (what must be recomputed), reconcile.c (recomputing it).
 */
#pragma once

#include "catalog.h"
#include "cluster.h"
#include "namespace.h"
#include "pods.h"
#include "reverse.h"
#include "service.h"
#include "sightings.h"
#include "workload.h"

/* A Pod of the manifests whose address is leased or seen; outlives the object until that is
 * settled. */
struct bare_pod {
    struct claim_owner owner; /* interned names; `name` is the Pod's */
    struct ns *ns;
    struct address claimed[2]; /* that have its pod names */
    uint8_t n_claimed;
    bool dirty;
};

struct dirty_queue {
    GPtrArray *namespaces; /* struct ns * whose record must be written */
    GArray *stated;        /* struct address: newly stated but leased; the lease must give way */
    GPtrArray *unlinked;   /* struct ns * with selections to link, may repeat */
    GPtrArray *pods;       /* struct bare_pod * */
    GPtrArray *workloads;  /* struct workload_state * */
    GPtrArray *services;   /* struct service_state * */
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
    uint32_t endpoints;              /* of all Services */
    GHashTable *services_over_limit; /* set of struct service_state: over that limit */
    void (*at)(void *userdata, const struct source *source); /* see cluster_observe; or NULL */
    void *at_userdata;

    uint32_t replicas;                /* of all workloads */
    GHashTable *workloads_over_limit; /* set of struct workload_state: over that limit */
    bool has_replica_room;            /* the count has dropped since the last of them was refused */
    bool has_room;                    /* the count has dropped since the last of them was refused */
    uint64_t refused[LEASE_USES];     /* leases that could not be had, as last logged */
};

void dirty_queue_init(struct dirty_queue *queue);
void dirty_queue_clear(struct dirty_queue *queue);

/* Adding NULL or a duplicate does nothing. */
void dirty_queue_namespace(struct dirty_queue *queue, struct ns *ns);
void dirty_queue_service(struct dirty_queue *queue, struct service_state *state);
void dirty_queue_workload(struct dirty_queue *queue, struct workload_state *state);
void dirty_queue_pod(struct dirty_queue *queue, struct bare_pod *pod);
/* The Services, or the workloads, that select a group. */
void dirty_queue_group_services(struct dirty_queue *queue, const struct group *group);
void dirty_queue_group_workloads(struct dirty_queue *queue, const struct group *group);

/* A whole list by namespace, name and kind, to be freed; the queue's list is empty then, and
 * additions start another. */
GPtrArray *dirty_queue_take_pods(struct dirty_queue *queue);
GPtrArray *dirty_queue_take_workloads(struct dirty_queue *queue);
GPtrArray *dirty_queue_take_services(struct dirty_queue *queue);

/* An object comes into effect (or goes out of it): updates the indexes, and puts what it concerns
 * on the queue. */
void index_object(struct cluster *cluster, struct object *object, bool in);

/* The workload of this kind and name, NULL if there is none. */
struct workload_state *index_find_workload(const struct ns *ns, const struct owner *owner);

/* A pod name of the namespace comes or goes; does nothing if pod names are not kept. */
void index_pod_name(struct cluster *cluster, struct ns *ns, const struct address *pod_ip, bool in);

/* The holder of a lease, by its key "namespace/Kind/name[/ordinal]", must be recomputed. */
void index_lease_holder(struct cluster *cluster, const char *key);

/* An object, or a sighting, states an address or no longer does so: a lease of it gives way. */
void index_address(struct cluster *cluster, const struct address *address, bool stated);

/* The pods of a holder must be recomputed. */
void index_holder(struct cluster *cluster, const struct holder_key *key);

/* May names of the namespace be looked up? The option is for all zones. */
bool cluster_exposes(const struct cluster *cluster, const char *ns);

void cluster_service_free(struct service_state *state);
void cluster_workload_free(struct workload_state *state);

/* Withdraws the pod names that were claimed. */
void cluster_withdraw_pod(struct cluster *cluster, struct bare_pod *pod);
void cluster_withdraw_replicas(struct cluster *cluster, struct workload_state *state);
