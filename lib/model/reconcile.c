/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An update. The order is essential: objects first, then the pods that need addresses, then the
 * Services that need them, each sorted by name; so a first load leases the same addresses whatever
 * the files are called, and at the end the sink has received one consistent state.
 */
#include <string.h>

#include "index.h"
#include "lib/util/log.h"

static void observe(const struct cluster *cluster, const struct object *object)
{
    if (cluster->at && object)
        cluster->at(cluster->at_userdata, object->source);
}

/* Its pods are looked up among the sightings if a runtime is asked: one of this machine, whose pods
 * are the main zone's. */
static void note_holder(const struct cluster *cluster, const struct holder_key *key,
                        const struct holder_pods *pods)
{
    static const struct holder_pods none = {0};
    bool seen = cluster->pods.sightings && !strchr(key->ns, '@');
    sightings_hold(cluster->sightings, key, seen ? pods : &none);
}

static void hold_replicas(const struct cluster *cluster, const struct workload_state *state)
{
    const struct workload *workload = state->object;
    bool open = workload && pods_is_open_workload(workload);
    note_holder(cluster,
                &(struct holder_key){state->identity.kind, state->ns->name, state->identity.name},
                &(struct holder_pods){.n = open ? state->replicas : 0,
                                      .ordinal = state->first,
                                      .indexed = open && workload->indexed});
}

static void reconcile_pod(struct cluster *cluster, struct bare_pod *pod)
{
    pod->dirty = false;
    index_withdraw_pod(cluster, pod);
    const struct pod *object =
        (const struct pod *)catalog_find(cluster->catalog, OBJECT_POD, pod->ns->name, pod->name);
    bool open = object && pods_is_open(&cluster->pods, object);
    note_holder(cluster, &(struct holder_key){OBJECT_POD, pod->ns->name, pod->name},
                &(struct holder_pods){.n = open ? 1 : 0});
    if (!open || !pods_is_allocated(&cluster->pods, object))
        pods_release(&cluster->pods, pod->ns->name, pod->name);
    if (!open) {
        g_hash_table_remove(pod->ns->bare_pods, pod->name);
        return;
    }
    struct pod_view view;
    pods_view(&cluster->pods, object, &view);
    for (uint32_t i = 0; view.named && i < view.n; i++) {
        pod->claimed[pod->n_claimed++] = view.addresses[i];
        index_pod_name(cluster, pod->ns, &view.addresses[i], true);
    }
    dirty_queue_group_services(&cluster->dirty, namespace_group(pod->ns, object->spec->labels));
}

/* Ends the leases of replicas that no longer exist. */
static void release_replicas(struct cluster *cluster, const struct workload_state *state,
                             uint32_t first, uint32_t replicas)
{
    for (uint32_t i = 0; i < state->leased; i++) {
        uint32_t ordinal = state->first + i;
        if (ordinal < first || ordinal - first >= replicas)
            pods_release_replica(&cluster->pods, state->ns->name, state->identity.kind,
                                 state->identity.name, ordinal);
    }
}

static void claim_replicas(struct cluster *cluster, struct workload_state *state)
{
    for (uint32_t i = 0; i < state->replicas; i++) {
        struct pod_view view;
        pods_view_replica(&cluster->pods, state->object, i, &view);
        for (uint32_t j = 0; cluster->options->pod_names && j < view.n; j++) {
            g_array_append_val(state->pod_ips, view.addresses[j]);
            index_pod_name(cluster, state->ns, &view.addresses[j], true);
        }
    }
}

/* Accounts for what a state has now, and whether it is over the limit. True: that is to be logged:
 * once for all of them, until none is. */
static bool account_for(struct shared_limit *limit, void *state, uint32_t before, uint32_t now,
                        bool over)
{
    bool is_first = over && g_hash_table_size(limit->over) == 0;
    limit->used = limit->used - before + now;
    limit->has_room |= now < before;
    if (over)
        g_hash_table_add(limit->over, state);
    else
        g_hash_table_remove(limit->over, state);
    return is_first;
}

/* How many of the wanted replicas there is room for: all, or as many as it has. */
static uint32_t admit_replicas(struct cluster *cluster, struct workload_state *state,
                               uint32_t wanted)
{
    uint32_t before = state->replicas, others = cluster->replicas.used - before;
    state->over_limit = wanted > ACCOUNT_REPLICAS_MAX - others;
    uint32_t replicas = state->over_limit ? before : wanted;
    if (account_for(&cluster->replicas, state, before, replicas, state->over_limit))
        log_error("%s %s/%s: all workloads together have more than %u replicas; this one, and "
                  "others like it, keep their previous number until there is room",
                  object_kind_name(state->identity.kind), state->ns->name, state->identity.name,
                  ACCOUNT_REPLICAS_MAX);
    return replicas;
}

static void reconcile_workload(struct cluster *cluster, struct workload_state *state)
{
    const struct workload *workload = state->object;
    state->dirty = false;
    observe(cluster, workload ? &workload->object : NULL);
    index_withdraw_replicas(cluster, state);
    bool expanded = workload && !workload_is_owned(cluster->catalog, workload) &&
                    !workload_has_pods(cluster->catalog, state);
    uint32_t wanted = expanded ? workload_nameable(workload, workload_replicas(state)) : 0;
    uint32_t replicas = expanded ? pods_replicas(&cluster->pods, workload, wanted) : 0;
    state->adopted = replicas > 0 ? workload_adopted(cluster->catalog, state) : 0;
    replicas = admit_replicas(cluster, state, replicas - MIN(replicas, state->adopted));
    bool leases = expanded && pods_is_open_workload(workload) && !cluster->pods.sightings;
    uint32_t first = workload ? workload->ordinal : 0;
    release_replicas(cluster, state, first, leases ? replicas : 0);
    state->replicas = replicas;
    state->first = first;
    state->leased = leases ? replicas : 0;
    hold_replicas(cluster, state);
    if (!workload) {
        g_hash_table_remove(state->ns->workloads, &state->identity);
        return;
    }
    claim_replicas(cluster, state);
    dirty_queue_group_services(&cluster->dirty,
                               namespace_group(state->ns, workload->template.labels));
}

static void reconcile_service(struct cluster *cluster, struct service_state *state)
{
    state->dirty = false;
    observe(cluster, state->object ? &state->object->object : NULL);
    uint32_t before = state->n_endpoints, others = cluster->endpoints.used - before;
    service_publish(state, &cluster->service_options, cluster_exposes(cluster, state->owner.ns),
                    ENDPOINTS_MAX - others, cluster->reverse, &cluster->sink);
    if (account_for(&cluster->endpoints, state, before, state->n_endpoints, state->over_limit))
        log_error("Service %s/%s: all Services together have more than %u endpoints; this one, and "
                  "others like it, have none until there is room",
                  state->owner.ns, state->owner.name, ENDPOINTS_MAX);
    if (!state->object)
        g_hash_table_remove(state->ns->services, state->owner.name);
}

/* A namespace that is no longer mentioned is empty: remove it. */
static void reconcile_namespace(struct cluster *cluster, struct ns *ns)
{
    ns->dirty = false;
    cluster->sink.ns(cluster->sink.userdata, ns->name, ns->mentions > 0,
                     cluster_exposes(cluster, ns->name));
    if (ns->mentions == 0)
        g_hash_table_remove(cluster->namespaces, ns->name);
}

static void mark_workloads(void *userdata, const struct group *group)
{
    struct cluster *cluster = userdata;
    dirty_queue_group_workloads(&cluster->dirty, group);
}

static void link_selections(struct cluster *cluster)
{
    GPtrArray *unlinked = cluster->dirty.unlinked;
    while (unlinked->len > 0) {
        struct ns *ns = g_ptr_array_remove_index_fast(unlinked, unlinked->len - 1);
        namespace_link(ns);
        namespace_contested(ns, mark_workloads, cluster);
        between_pieces(&cluster->between);
    }
}

static void evict(struct cluster *cluster, const struct address *address)
{
    g_autofree char *key = leases_evict(cluster->leases, address);
    if (!key)
        return;
    char text[ADDRESS_TEXT_MAX];
    address_format(address, text);
    log_notice("%s: leased to %s but now claimed by a %s; reassigning %s", text, key,
               cluster->pods.sightings ? "manifest or a running pod" : "manifest", key);
    index_lease_holder(cluster, key);
}

static void evict_stated(struct cluster *cluster)
{
    GArray *stated = cluster->dirty.stated;
    while (stated->len > 0) {
        struct address address = g_array_index(stated, struct address, stated->len - 1);
        g_array_set_size(stated, stated->len - 1);
        if (reverse_is_stated(cluster->reverse, &address))
            evict(cluster, &address);
    }
}

/* Holders without an address ask again when one has become free. False: there are none. */
static bool retry_refused(struct cluster *cluster)
{
    g_autoptr(GPtrArray) keys = leases_take_waiters(cluster->leases);
    for (guint i = 0; i < keys->len; i++)
        index_lease_holder(cluster, keys->pdata[i]);
    return keys->len > 0;
}

/* Is there room again for any that are over the limit? */
static bool has_room_again(struct shared_limit *limit)
{
    bool again = limit->has_room && g_hash_table_size(limit->over) > 0;
    limit->has_room = false;
    return again;
}

/* The same for Services without room for endpoints. */
static bool retry_services_over_limit(struct cluster *cluster)
{
    bool again = has_room_again(&cluster->endpoints);
    GHashTableIter iter;
    gpointer state;
    g_hash_table_iter_init(&iter, cluster->endpoints.over);
    while (again && g_hash_table_iter_next(&iter, &state, NULL))
        dirty_queue_service(&cluster->dirty, state);
    return again;
}

/* And for workloads without room for replicas. */
static bool retry_workloads_over_limit(struct cluster *cluster)
{
    bool again = has_room_again(&cluster->replicas);
    GHashTableIter iter;
    gpointer state;
    g_hash_table_iter_init(&iter, cluster->replicas.over);
    while (again && g_hash_table_iter_next(&iter, &state, NULL))
        dirty_queue_workload(&cluster->dirty, state);
    return again;
}

/* Processing may add to the queue, but only to later stages. True: the owners of sightings have
 * changed, so that pods come first again. */
static bool reconcile_dirty(struct cluster *cluster)
{
    g_autoptr(GPtrArray) pods = dirty_queue_take_pods(&cluster->dirty);
    for (guint i = 0; i < pods->len; i++) {
        reconcile_pod(cluster, pods->pdata[i]);
        between_pieces(&cluster->between);
    }
    g_autoptr(GPtrArray) workloads = dirty_queue_take_workloads(&cluster->dirty);
    for (guint i = 0; i < workloads->len; i++) {
        reconcile_workload(cluster, workloads->pdata[i]);
        between_pieces(&cluster->between);
    }
    if (sightings_settle(cluster->sightings))
        return true;
    g_autoptr(GPtrArray) services = dirty_queue_take_services(&cluster->dirty);
    for (guint i = 0; i < services->len; i++) {
        reconcile_service(cluster, services->pdata[i]);
        between_pieces(&cluster->between);
    }
    return false;
}

/* A full range is logged once for each number of objects without an address. */
static void log_exhausted(struct cluster *cluster)
{
    static const struct {
        const char *objects, *option;
    } uses[LEASE_USES] = {
        [LEASE_POD] = {"pods", "podCIDRs"}, [LEASE_SERVICE] = {"Services", "serviceCIDRs"}};
    for (unsigned use = 0; use < LEASE_USES; use++) {
        uint64_t refused = leases_exhausted(cluster->leases, use);
        if (refused > 0 && refused != cluster->refused[use])
            log_error("%s is full: %" G_GUINT64_FORMAT
                      " %s have no address and are left out of every answer; widen %s",
                      uses[use].option, refused, uses[use].objects, uses[use].option);
        cluster->refused[use] = refused;
    }
}

static void work_out(struct cluster *cluster)
{
    link_selections(cluster);
    evict_stated(cluster);
    (void)retry_refused(cluster);
    bool more;
    (void)sightings_settle(cluster->sightings);
    do {
        more = reconcile_dirty(cluster);
        /* What one object gives up may be what another waits for. */
    } while (more || retry_refused(cluster) || retry_workloads_over_limit(cluster) ||
             retry_services_over_limit(cluster));
}

void cluster_reconcile(struct cluster *cluster)
{
    work_out(cluster);
    if (!cluster->swept) {
        leases_release_unclaimed(cluster->leases);
        cluster->swept = true;
        work_out(cluster);
    }
    reverse_flush(cluster->reverse, &cluster->sink, &cluster->between);
    GPtrArray *namespaces = cluster->dirty.namespaces;
    while (namespaces->len > 0)
        reconcile_namespace(cluster,
                            g_ptr_array_remove_index_fast(namespaces, namespaces->len - 1));
    log_exhausted(cluster);
}
