/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Read access to a cluster: namespaces, Services, workloads, pods and endpoints, each with why it
 * is as it is. Changes and computes nothing: shows the current state of cluster_reconcile, even in
 * the middle of its work. Pointers are valid until the cluster continues.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "cluster.h"
#include "service.h"
#include "workload.h"

/* NULL: no object mentions it. */
const struct ns *cluster_read_namespace(const struct cluster *cluster, const char *name);
bool cluster_read_is_exposed(const struct cluster *cluster, const struct ns *ns);

/* NULL: there is none. */
const struct service_state *cluster_read_service(const struct ns *ns, const char *name);
const struct workload_state *cluster_read_workload(const struct ns *ns, enum object_kind kind,
                                                   const char *name);

typedef void (*cluster_read_object_fn)(void *userdata, const struct object *object);
typedef void (*cluster_read_namespace_fn)(void *userdata, const struct ns *ns);
typedef void (*cluster_read_service_fn)(void *userdata, const struct service_state *state);
typedef void (*cluster_read_workload_fn)(void *userdata, const struct workload_state *state);

/* `workload`: whose replica it is, NULL for a Pod of the manifests. */
typedef void (*cluster_read_pod_fn)(void *userdata, const struct pod_view *pod,
                                    const struct workload_state *workload);

/* All of them, in no order. */
void cluster_read_namespaces(const struct cluster *cluster, cluster_read_namespace_fn each,
                             void *userdata);
void cluster_read_services(const struct ns *ns, cluster_read_service_fn each, void *userdata);
void cluster_read_workloads(const struct ns *ns, cluster_read_workload_fn each, void *userdata);
void cluster_read_pods(const struct cluster *cluster, const struct ns *ns, cluster_read_pod_fn each,
                       void *userdata);

/* The Pods and the workloads of a namespace. */
void cluster_read_members(const struct ns *ns, cluster_read_object_fn each, void *userdata);

/* The slices and the Endpoints object of a Service's name, used or not. */
void cluster_read_slices(const struct service_state *state, cluster_read_object_fn each,
                         void *userdata);

/* Objects in effect that shadow others: see struct object's `shadowed`. */
void cluster_read_shadowing(const struct cluster *cluster, cluster_read_object_fn each,
                            void *userdata);

/* Why a workload yields fewer pods than its replicas, or none; NULL: it does not. Free with
 * g_free. */
char *cluster_read_why_fewer(const struct cluster *cluster, const struct workload_state *state);

/* Why a workload that asks for no pods runs none. Static. */
const char *cluster_read_why_no_replicas(const struct workload *workload);

/* Why only this many replicas can have valid pod names; free with g_free. */
char *cluster_read_why_unnameable(const struct workload *workload, uint32_t nameable);

/* The relation of a Pod to the workload that owns or selects it; NULL: none. Free with g_free. */
char *cluster_read_relation(const struct cluster *cluster, const struct ns *ns,
                            const struct pod *pod);

/* Why a Service that is not headless has no cluster IP; NULL: it has one, needs none, or its stated
 * endpoints are answered. Static. */
const char *cluster_read_why_no_cluster_ip(const struct cluster *cluster,
                                           const struct service_state *state);

/* Why an address does not count as an endpoint; NULL: it does. Free with g_free. */
char *cluster_read_why_left_out(const struct cluster *cluster,
                                const struct endpoint_candidate *candidate);

/* How many pods of a workload are missing from all runtimes; NULL: none, or no runtime is asked.
 * Free with g_free. */
char *cluster_read_why_unseen(const struct cluster *cluster, const struct workload_state *state);

/* Why a Pod, or the replica with this ordinal, has no address although runtimes are asked; NULL: it
 * was seen, or has one anyway. Free with g_free. */
char *cluster_read_why_not_seen(const struct cluster *cluster, const struct object *object,
                                uint32_t ordinal);

/* Are addresses of pods looked for in runtimes? */
bool cluster_read_asks_runtimes(const struct cluster *cluster);

/* All sightings, in no order. */
typedef void (*cluster_read_sighting_fn)(void *userdata, const struct sighting *sighting);
void cluster_read_sightings(const struct cluster *cluster, cluster_read_sighting_fn each,
                            void *userdata);

/* See sightings_why_ignored; free with g_free. */
char *cluster_read_why_ignored(const struct cluster *cluster, const struct sighting *sighting);

enum service_origin { SERVICE_ADDRESS_NONE, SERVICE_ADDRESS_STATED, SERVICE_ADDRESS_ALLOCATED };

/* What a Service's own name resolves to. */
struct service_view {
    GArray *addresses;          /* struct address: cluster IPs */
    enum service_origin origin; /* of these */
    bool as_headless;           /* no cluster IP was invented, its endpoints are stated */
    enum endpoint_source source;
    unsigned n_endpoints;   /* that count */
    unsigned n_terminating; /* ENDPOINT_TERMINATING */
};
void cluster_read_service_open(const struct cluster *cluster, const struct service_state *state,
                               struct service_view *view);
void cluster_read_service_close(struct service_view *view);

/* Every endpoint of a Service that counts or might. */
void cluster_read_endpoints(const struct cluster *cluster, const struct service_state *state,
                            endpoint_each each, void *userdata);

/* What exceeded the limits of all manifests: how many Services (without endpoints) and workloads
 * (without new replicas), and one of each, NULL if none. */
struct over_limit_view {
    unsigned n_services, n_workloads;
    const struct object *service, *workload;
};
struct over_limit_view cluster_read_over_limit(const struct cluster *cluster);

/* Leases of one use: held, available in total, and refused. */
struct lease_view {
    uint64_t held, size, refused;
};
struct lease_view cluster_read_leases(const struct cluster *cluster, enum lease_use use);
