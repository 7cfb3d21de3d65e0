/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cluster as its readers see it. Walks the cluster's own indexes; decides nothing itself.
 */
#include "cluster_read.h"

#include <string.h>

#include "cluster_state.h"

/* Computed like the cluster does, but without leasing: an update may be in progress, and the order
 * of leases decides the addresses. */
struct eye {
    struct pods pods;
    struct service_options options;
};

static void eye_open(struct eye *eye, const struct cluster *cluster)
{
    eye->pods = cluster->pods;
    eye->pods.look_only = true;
    eye->options = cluster->service_options;
    eye->options.pods = &eye->pods;
}

const struct ns *cluster_read_namespace(const struct cluster *cluster, const char *name)
{
    const char *interned = name_intern(name);
    const struct ns *ns = g_hash_table_lookup(cluster->namespaces, interned);
    name_unref(interned);
    return ns;
}

bool cluster_read_is_exposed(const struct cluster *cluster, const struct ns *ns)
{
    return cluster_exposes(cluster, ns->name);
}

const struct service_state *cluster_read_service(const struct ns *ns, const char *name)
{
    const struct service_state *state = g_hash_table_lookup(ns->services, name);
    return state && state->object ? state : NULL;
}

const struct workload_state *cluster_read_workload(const struct ns *ns, enum object_kind kind,
                                                   const char *name)
{
    const struct workload_state *state = namespace_workload(ns, kind, name);
    return state && state->object ? state : NULL;
}

void cluster_read_namespaces(const struct cluster *cluster, cluster_read_namespace_fn each,
                             void *userdata)
{
    GHashTableIter iter;
    gpointer ns;
    g_hash_table_iter_init(&iter, cluster->namespaces);
    while (g_hash_table_iter_next(&iter, NULL, &ns))
        if (((const struct ns *)ns)->mentions > 0)
            each(userdata, ns);
}

void cluster_read_services(const struct ns *ns, cluster_read_service_fn each, void *userdata)
{
    GHashTableIter iter;
    gpointer state;
    g_hash_table_iter_init(&iter, ns->services);
    while (g_hash_table_iter_next(&iter, NULL, &state))
        if (((const struct service_state *)state)->object)
            each(userdata, state);
}

void cluster_read_workloads(const struct ns *ns, cluster_read_workload_fn each, void *userdata)
{
    GHashTableIter iter;
    gpointer state;
    g_hash_table_iter_init(&iter, ns->workloads);
    while (g_hash_table_iter_next(&iter, NULL, &state))
        if (((const struct workload_state *)state)->object)
            each(userdata, state);
}

static void view_replicas(const struct cluster *cluster, const struct workload_state *workload,
                          cluster_read_pod_fn each, void *userdata)
{
    struct eye eye;
    eye_open(&eye, cluster);
    for (uint32_t i = 0; i < workload->replicas; i++) {
        struct pod_view view;
        pods_view_replica(&eye.pods, workload->object, i, &view);
        each(userdata, &view, workload);
    }
}

void cluster_read_members(const struct ns *ns, cluster_read_object_fn each, void *userdata)
{
    GHashTableIter iter;
    const struct group *group;
    g_hash_table_iter_init(&iter, ns->groups);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&group)) {
        const GPtrArray *members = group->members;
        for (guint i = 0; i < members->len; i++)
            each(userdata, members->pdata[i]);
    }
}

struct pods_walk {
    const struct cluster *cluster;
    const struct ns *ns;
    cluster_read_pod_fn each;
    void *userdata;
};

static void walk_member(void *userdata, const struct object *member)
{
    const struct pods_walk *walk = userdata;
    if (member->kind == OBJECT_POD) {
        struct pod_view view;
        struct eye eye;
        eye_open(&eye, walk->cluster);
        pods_view(&eye.pods, (const struct pod *)member, &view);
        walk->each(walk->userdata, &view, NULL);
        return;
    }
    const struct workload_state *workload =
        cluster_read_workload(walk->ns, member->kind, member->name);
    if (workload)
        view_replicas(walk->cluster, workload, walk->each, walk->userdata);
}

void cluster_read_pods(const struct cluster *cluster, const struct ns *ns, cluster_read_pod_fn each,
                       void *userdata)
{
    cluster_read_members(ns, walk_member, &(struct pods_walk){cluster, ns, each, userdata});
}

void cluster_read_slices(const struct service_state *state, cluster_read_object_fn each,
                         void *userdata)
{
    const GPtrArray *slices = namespace_slices(state->ns, state->owner.name);
    const struct endpoint_slice *endpoints =
        g_hash_table_lookup(state->ns->endpoints, state->owner.name);
    for (guint i = 0; slices && i < slices->len; i++)
        each(userdata, &((const struct endpoint_slice *)slices->pdata[i])->object);
    if (endpoints)
        each(userdata, &endpoints->object);
}

struct shadowing {
    cluster_read_object_fn each;
    void *userdata;
};

static void if_shadowing(void *userdata, struct object *object)
{
    const struct shadowing *shadowing = userdata;
    if (object->shadowed)
        shadowing->each(shadowing->userdata, object);
}

void cluster_read_shadowing(const struct cluster *cluster, cluster_read_object_fn each,
                            void *userdata)
{
    if (catalog_has_shadowed(cluster->catalog))
        catalog_each(cluster->catalog, if_shadowing, &(struct shadowing){each, userdata});
}

static void count_endpoint(void *userdata, const struct endpoint_candidate *candidate)
{
    struct service_view *view = userdata;
    view->n_terminating += candidate->verdict == ENDPOINT_TERMINATING;
    if (candidate->verdict != ENDPOINT_COUNTS)
        return;
    view->n_endpoints++;
    view->as_headless |= candidate->origin != ADDRESS_ALLOCATED;
}

void cluster_read_service_open(const struct cluster *cluster, const struct service_state *state,
                               struct service_view *view)
{
    const struct service *service = state->object;
    *view = (struct service_view){.addresses = g_array_new(FALSE, FALSE, sizeof(struct address))};
    if (service->type == SERVICE_EXTERNAL_NAME)
        return;
    struct eye eye;
    eye_open(&eye, cluster);
    bool leased = service_addresses(state, &eye.options, view->addresses);
    if (view->addresses->len > 0)
        view->origin = leased ? SERVICE_ADDRESS_ALLOCATED : SERVICE_ADDRESS_STATED;
    view->source = endpoints_source(&eye.pods, state);
    cluster_read_endpoints(cluster, state, count_endpoint, view);
    view->as_headless |= service_has_real_pods(state, &eye.options);
    view->as_headless = view->as_headless && !service->headless && view->addresses->len == 0 &&
                        pods_may_allocate(&cluster->pods, &service->object);
}

void cluster_read_service_close(struct service_view *view)
{
    g_clear_pointer(&view->addresses, g_array_unref);
}

struct over_limit {
    endpoint_each each;
    void *userdata;
};

static void pass_over_limit(void *userdata, const struct endpoint_candidate *candidate)
{
    const struct over_limit *over_limit = userdata;
    struct endpoint_candidate told = *candidate;
    if (told.verdict == ENDPOINT_COUNTS)
        told.verdict = ENDPOINT_NO_ROOM;
    else if (told.verdict == ENDPOINT_TERMINATING)
        told.verdict = ENDPOINT_NOT_READY;
    over_limit->each(over_limit->userdata, &told);
}

void cluster_read_endpoints(const struct cluster *cluster, const struct service_state *state,
                            endpoint_each each, void *userdata)
{
    struct over_limit over_limit = {each, userdata};
    struct eye eye;
    eye_open(&eye, cluster);
    endpoints_each(&eye.pods, state, service_families(state, &eye.options),
                   state->over_limit ? pass_over_limit : each,
                   state->over_limit ? &over_limit : userdata);
}

static gpointer any_key(GHashTable *set)
{
    GHashTableIter iter;
    gpointer key = NULL;
    g_hash_table_iter_init(&iter, set);
    return g_hash_table_iter_next(&iter, &key, NULL) ? key : NULL;
}

struct over_limit_view cluster_read_over_limit(const struct cluster *cluster)
{
    const struct service_state *service = any_key(cluster->endpoints.over);
    const struct workload_state *workload = any_key(cluster->replicas.over);
    return (struct over_limit_view){
        .n_services = g_hash_table_size(cluster->endpoints.over),
        .n_workloads = g_hash_table_size(cluster->replicas.over),
        .service = service && service->object ? &service->object->object : NULL,
        .workload = workload && workload->object ? &workload->object->object : NULL,
    };
}

struct lease_view cluster_read_leases(const struct cluster *cluster, enum lease_use use)
{
    struct lease_view view = {.refused = leases_exhausted(cluster->leases, use)};
    leases_count(cluster->leases, use, &view.held, &view.size);
    return view;
}

void cluster_read_sightings(const struct cluster *cluster, cluster_read_sighting_fn each,
                            void *userdata)
{
    sightings_each(cluster->sightings, each, userdata);
}

char *cluster_read_why_ignored(const struct cluster *cluster, const struct sighting *sighting)
{
    return sightings_why_ignored(cluster->sightings, sighting);
}

bool cluster_read_asks_runtimes(const struct cluster *cluster)
{
    return cluster->pods.sightings != NULL;
}
