/*
 * The steps of an update. Their order is the whole idea: objects first, then the pods that are to
 * have addresses, then the Services that ask for them, each sorted by name; so a first load leases
 * the same addresses whatever the files are called, and what the sink is told becomes one
 * consistent state at the end.
 */
#include <string.h>

#include "../log.h"
#include "cluster_private.h"

void cluster_service_free(struct service_state *state)
{
    namespace_unselect(state->namespace, &state->selection);
    if (state->claims)
        g_array_unref(state->claims);
    name_unref(state->owner.name);
    name_unref(state->owner.namespace);
    g_free(state);
}

void cluster_workload_free(struct workload_state *state)
{
    namespace_unselect(state->namespace, &state->selection);
    g_array_unref(state->pod_ips);
    name_unref(state->identity.name);
    g_free(state);
}

void cluster_withdraw_pod(struct cluster *cluster, struct bare_pod *pod)
{
    if (pod->has_pod_ip)
        intake_pod_name(cluster, pod->namespace, &pod->pod_ip, false);
    pod->has_pod_ip = false;
}

void cluster_withdraw_replicas(struct cluster *cluster, struct workload_state *state)
{
    for (guint i = 0; i < state->pod_ips->len; i++)
        intake_pod_name(cluster, state->namespace,
                        &g_array_index(state->pod_ips, struct address, i), false);
    g_array_set_size(state->pod_ips, 0);
}

static void update_pod(struct cluster *cluster, struct bare_pod *pod)
{
    pod->dirty = false;
    cluster_withdraw_pod(cluster, pod);
    const struct pod *object = (const struct pod *)catalog_find(
        cluster->catalog, OBJECT_POD, pod->owner.namespace, pod->owner.name);
    if (!object || !pods_is_allocated(&cluster->pods, object)) {
        pods_release(&cluster->pods, pod->owner.namespace, pod->owner.name);
        g_hash_table_remove(cluster->bare_pods, pod);
        return;
    }
    struct pod_view view;
    pods_view(&cluster->pods, object, &view);
    if (view.pod_ip) {
        pod->pod_ip = *view.pod_ip;
        pod->has_pod_ip = true;
        intake_pod_name(cluster, pod->namespace, &pod->pod_ip, true);
    }
    const struct labels *labels = object->spec->labels ? object->spec->labels : cluster->no_labels;
    agenda_group_services(&cluster->agenda, namespace_group(pod->namespace, labels));
}

/* Ends the leases of replicas that are no more. */
static void release_replicas(struct cluster *cluster, const struct workload_state *state,
                             uint32_t first, uint32_t replicas)
{
    for (uint32_t i = 0; i < state->leased; i++) {
        uint32_t ordinal = state->first + i;
        if (ordinal < first || ordinal - first >= replicas)
            pods_release_replica(&cluster->pods, state->namespace->name, state->identity.kind,
                                 state->identity.name, ordinal);
    }
}

static void claim_replicas(struct cluster *cluster, struct workload_state *state)
{
    for (uint32_t i = 0; i < state->replicas; i++) {
        struct pod_view view;
        pods_view_replica(&cluster->pods, state->object, i, &view);
        if (view.origin == ADDRESS_ALLOCATED)
            state->leased = i + 1;
        if (!view.pod_ip || !cluster->pod_names)
            continue;
        g_array_append_val(state->pod_ips, *view.pod_ip);
        intake_pod_name(cluster, state->namespace, view.pod_ip, true);
    }
}

static void update_workload(struct cluster *cluster, struct workload_state *state)
{
    const struct workload *workload = state->object;
    state->dirty = false;
    cluster_withdraw_replicas(cluster, state);
    bool expanded = workload && !workload_is_owned(cluster->catalog, workload) &&
                    !workload_has_pods(cluster->catalog, state);
    uint32_t replicas = expanded ? pods_replicas(&cluster->pods, workload) : 0;
    bool leases = expanded && workload->template.stated.n == 0 && !workload->template.host_network;
    uint32_t first = workload ? workload->ordinal : 0;
    release_replicas(cluster, state, first, leases ? replicas : 0);
    state->replicas = replicas;
    state->first = first;
    state->leased = 0;
    if (!workload) {
        g_hash_table_remove(state->namespace->workloads, &state->identity);
        cluster_workload_free(state);
        return;
    }
    claim_replicas(cluster, state);
    const struct labels *labels =
        workload->template.labels ? workload->template.labels : cluster->no_labels;
    agenda_group_services(&cluster->agenda, namespace_group(state->namespace, labels));
}

static bool is_exposed(const struct cluster *cluster, const char *namespace)
{
    return !cluster->exposed || g_strv_contains((const char *const *)cluster->exposed, namespace);
}

static void say_crowded(struct cluster *cluster, const struct service_state *state)
{
    if (!cluster->crowded)
        log_error(
            "Service %s/%s: all Services together have more than %u endpoints; it, and others "
            "like it, have none until a change of theirs finds room",
            state->owner.namespace, state->owner.name, ENDPOINTS_MAX);
    cluster->crowded = true;
}

static void update_service(struct cluster *cluster, struct service_state *state)
{
    state->dirty = false;
    cluster->endpoints -= state->claims ? state->claims->len : 0;
    uint32_t room = cluster->endpoints < ENDPOINTS_MAX ? ENDPOINTS_MAX - cluster->endpoints : 0;
    if (!service_publish(state, &cluster->service_options,
                         is_exposed(cluster, state->owner.namespace), room, cluster->reverse,
                         &cluster->sink))
        say_crowded(cluster, state);
    cluster->endpoints += state->claims->len;
    if (state->object)
        return;
    g_hash_table_remove(state->namespace->services, state->owner.name);
    cluster_service_free(state);
}

/* A namespace that nothing mentions any more has nothing in it either: it goes for good. */
static void update_namespace(struct cluster *cluster, struct namespace *namespace)
{
    namespace->dirty = false;
    cluster->sink.namespace(cluster->sink.userdata, namespace->name, namespace->mentions > 0,
                            is_exposed(cluster, namespace->name));
    if (namespace->mentions > 0)
        return;
    g_hash_table_remove(cluster->namespaces, namespace->name);
    namespace_free(namespace);
}

static bool is_late(int64_t deadline)
{
    return g_get_monotonic_time() >= deadline;
}

static bool link_selections(struct cluster *cluster, int64_t deadline)
{
    GPtrArray *unlinked = cluster->agenda.unlinked;
    while (unlinked->len > 0) {
        namespace_link(g_ptr_array_remove_index_fast(unlinked, unlinked->len - 1));
        if (is_late(deadline))
            return false;
    }
    return true;
}

static void evict(struct cluster *cluster, const struct address *address)
{
    g_autofree char *key = leases_evict(cluster->leases, address);
    if (!key)
        return;
    char text[ADDRESS_TEXT_MAX];
    address_format(address, text);
    log_notice("%s was leased to %s and is now stated by a manifest; %s gets another address", text,
               key, key);
    intake_lease_holder(cluster, key);
}

static bool evict_stated(struct cluster *cluster, int64_t deadline)
{
    GArray *stated = cluster->agenda.stated;
    while (stated->len > 0) {
        struct address address = g_array_index(stated, struct address, stated->len - 1);
        g_array_set_size(stated, stated->len - 1);
        if (reverse_is_stated(cluster->reverse, &address))
            evict(cluster, &address);
        if (is_late(deadline))
            return false;
    }
    return true;
}

/* Who went without an address asks again when one became free. */
static void retry_refused(struct cluster *cluster)
{
    g_autoptr(GPtrArray) keys = leases_relieved(cluster->leases);
    for (guint i = 0; keys && i < keys->len; i++)
        intake_lease_holder(cluster, keys->pdata[i]);
}

static bool update_agenda(struct cluster *cluster, int64_t deadline)
{
    struct agenda *agenda = &cluster->agenda;
    struct bare_pod *pod;
    while ((pod = agenda_next_pod(agenda))) {
        update_pod(cluster, pod);
        if (is_late(deadline))
            return false;
    }
    struct workload_state *workload;
    while ((workload = agenda_next_workload(agenda))) {
        update_workload(cluster, workload);
        if (is_late(deadline))
            return false;
    }
    struct service_state *service;
    while ((service = agenda_next_service(agenda))) {
        update_service(cluster, service);
        if (is_late(deadline))
            return false;
    }
    return true;
}

/* A full range is said once for each number of objects that go without. */
static void say_refused(struct cluster *cluster)
{
    static const struct {
        const char *objects, *option;
    } uses[LEASE_USES] = {
        [LEASE_POD] = {"pods", "podCIDRs"}, [LEASE_SERVICE] = {"Services", "serviceCIDRs"}};
    for (unsigned use = 0; use < LEASE_USES; use++) {
        uint64_t refused = leases_refused(cluster->leases, use);
        if (refused > 0 && refused != cluster->refused[use])
            log_error("%s is full: %" G_GUINT64_FORMAT
                      " %s have no address and are left out of every answer; widen %s",
                      uses[use].option, refused, uses[use].objects, uses[use].option);
        cluster->refused[use] = refused;
    }
}

bool cluster_absorb(struct cluster *cluster, uint64_t budget)
{
    return catalog_work(cluster->catalog, g_get_monotonic_time() + (int64_t)budget);
}

bool cluster_update(struct cluster *cluster, uint64_t budget)
{
    int64_t deadline = g_get_monotonic_time() + (int64_t)budget;
    if (!catalog_work(cluster->catalog, deadline))
        return false;
    if (!link_selections(cluster, deadline) || !evict_stated(cluster, deadline))
        return false;
    retry_refused(cluster);
    if (!update_agenda(cluster, deadline))
        return false;
    if (!reverse_flush(cluster->reverse, &cluster->sink, deadline))
        return false;
    while (cluster->agenda.namespaces->len > 0)
        update_namespace(cluster,
                         g_ptr_array_remove_index_fast(cluster->agenda.namespaces,
                                                       cluster->agenda.namespaces->len - 1));
    say_refused(cluster);
    return true;
}
