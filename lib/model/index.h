/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Adding objects to the indexes of a cluster and removing them, and putting what they concern on
 * the queue.
 */
#pragma once

#include "cluster_state.h"

/* An object comes into effect (or goes out of it): updates the indexes, and puts what it concerns
 * on the queue. */
void index_object(struct cluster *cluster, struct object *object, bool in);

/* A pod name of the namespace comes or goes; does nothing if pod names are not kept. */
void index_pod_name(struct cluster *cluster, struct ns *ns, const struct address *pod_ip, bool in);

/* The holder of a lease, by its key "namespace/Kind/name[/ordinal]", must be recomputed. */
void index_lease_holder(struct cluster *cluster, const char *key);

/* Callbacks of the sightings, whose `userdata` is the cluster. An object, or a sighting, states an
 * address or no longer does so: a lease of it gives way. The pods of a holder must be recomputed.
 */
void index_address(void *userdata, const struct address *address, bool stated);
void index_holder(void *userdata, const struct holder_key *key);

/* Withdraws the pod names that were claimed for a Pod, or for the replicas of a workload. */
void index_withdraw_pod(struct cluster *cluster, struct bare_pod *pod);
void index_withdraw_replicas(struct cluster *cluster, struct workload_state *state);
