/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Adds objects to the indexes of their namespace and removes them. Each kind puts what it may
 * affect on the queue; nothing is computed here.
 */
#include "index.h"

#include <string.h>

static struct workload_state *workload_of(const struct ns *ns, const struct owner *owner)
{
    return owner->name ? namespace_workload(ns, owner->kind, owner->name) : NULL;
}

static void mark_owners(struct cluster *cluster, const struct ns *ns, const struct owner *owner)
{
    struct workload_state *state = workload_of(ns, owner);
    for (unsigned depth = 0; state && depth < 4; depth++) {
        dirty_queue_workload(&cluster->dirty, state);
        state = state->object ? workload_of(ns, &state->object->owner) : NULL;
    }
}

/* Whether a workload exists decides which pods it owns, for every workload of the namespace that
 * they may be attributed to. */
static void mark_rivals(struct cluster *cluster, const struct ns *ns, const struct owner *owner)
{
    if (!namespace_has_owned(ns, owner))
        return;
    GHashTableIter iter;
    gpointer state;
    g_hash_table_iter_init(&iter, ns->workloads);
    while (g_hash_table_iter_next(&iter, NULL, &state))
        dirty_queue_workload(&cluster->dirty, state);
}

/* Whether workloads owned by this one are expanded depends on its existence. */
static void mark_dependents(struct cluster *cluster, const struct ns *ns, const struct owner *owner)
{
    const GPtrArray *dependents = namespace_dependents(ns, owner);
    for (guint i = 0; dependents && i < dependents->len; i++) {
        const struct object *dependent = dependents->pdata[i];
        dirty_queue_workload(&cluster->dirty,
                             namespace_workload(ns, dependent->kind, dependent->name));
    }
}

/* "namespace/Kind/name[/ordinal]" has lost its address: its holder needs another. */
void index_lease_holder(struct cluster *cluster, const char *key)
{
    g_auto(GStrv) parts = g_strsplit(key, "/", 4);
    if (g_strv_length(parts) < 3)
        return;
    const char *name = name_intern(parts[0]);
    struct ns *ns = g_hash_table_lookup(cluster->namespaces, name);
    if (ns && strcmp(parts[1], "Pod") == 0)
        dirty_queue_pod(&cluster->dirty, g_hash_table_lookup(ns->bare_pods, parts[2]));
    else if (ns && strcmp(parts[1], "Service") == 0)
        dirty_queue_service(&cluster->dirty, g_hash_table_lookup(ns->services, parts[2]));
    else if (ns)
        for (int kind = OBJECT_DEPLOYMENT; kind < OBJECT_KINDS; kind++)
            if (strcmp(parts[1], object_kind_name((enum object_kind)kind)) == 0)
                dirty_queue_workload(&cluster->dirty,
                                     namespace_workload(ns, (enum object_kind)kind, parts[2]));
    name_unref(name);
}

void index_holder(void *userdata, const struct holder_key *key)
{
    struct cluster *cluster = userdata;
    const struct ns *ns = g_hash_table_lookup(cluster->namespaces, key->ns);
    if (ns && key->kind == OBJECT_POD)
        dirty_queue_pod(&cluster->dirty, g_hash_table_lookup(ns->bare_pods, key->name));
    else if (ns)
        dirty_queue_workload(&cluster->dirty, namespace_workload(ns, key->kind, key->name));
}

/* Whether a lease must give way is decided when all objects are in: one that is only briefly in
 * effect, until the next file overrides it, evicts nothing. */
void index_address(void *userdata, const struct address *address, bool stated)
{
    struct cluster *cluster = userdata;
    if (!reverse_state(cluster->reverse, address, stated))
        return;
    if (!stated)
        leases_note_freed(cluster->leases, address);
    else if (leases_hold(cluster->leases, address))
        g_array_append_val(cluster->dirty.stated, *address);
}

static void state_addresses(struct cluster *cluster, const struct addresses *addresses, bool stated)
{
    for (uint32_t i = 0; i < addresses->n; i++)
        index_address(cluster, &addresses->items[i], stated);
}

static void state_slice(struct cluster *cluster, const struct endpoint_slice *slice, bool stated)
{
    for (uint32_t i = 0; i < slice->n_subsets; i++)
        for (uint32_t j = 0; j < slice->subsets[i].n; j++)
            state_addresses(cluster, &slice->subsets[i].endpoints[j].addresses, stated);
}

static void service_in(struct cluster *cluster, struct ns *ns, struct service *service, bool in)
{
    struct service_state *state = g_hash_table_lookup(ns->services, service->object.name);
    if (!state) {
        state = g_new0(struct service_state, 1);
        state->ns = ns;
        state->owner = (struct claim_owner){.name = name_intern(service->object.name),
                                            .ns = name_ref(ns->name)};
        g_hash_table_insert(ns->services, (gpointer)state->owner.name, state);
    }
    namespace_unselect(ns, &state->selection);
    state->object = in ? service : NULL;
    if (in && service->selector) {
        const struct labels *selector = pods_selector(service->selector, &state->partial);
        namespace_select(ns, &state->selection, selector, false);
        labels_unref(selector);
        g_ptr_array_add(cluster->dirty.unlinked, ns);
    }
    if (service->type != SERVICE_EXTERNAL_NAME) {
        state_addresses(cluster, &service->cluster_ips, in);
        state_addresses(cluster, &service->stated, in);
    }
    dirty_queue_service(&cluster->dirty, state);
}

static void slice_in(struct cluster *cluster, struct ns *ns, struct endpoint_slice *slice, bool in)
{
    state_slice(cluster, slice, in);
    if (!slice->service) /* rule 73 */
        return;
    namespace_note_slice(ns, slice, in);
    dirty_queue_service(&cluster->dirty, g_hash_table_lookup(ns->services, slice->service));
}

static void endpoints_in(struct cluster *cluster, struct ns *ns, struct endpoint_slice *endpoints,
                         bool in)
{
    state_slice(cluster, endpoints, in);
    if (in)
        g_hash_table_insert(ns->endpoints, (gpointer)endpoints->object.name, endpoints);
    else
        g_hash_table_remove(ns->endpoints, endpoints->object.name);
    dirty_queue_service(&cluster->dirty, g_hash_table_lookup(ns->services, endpoints->object.name));
}

static void group_in(struct cluster *cluster, struct ns *ns, struct object *object,
                     const struct labels *labels, bool in)
{
    struct group *group =
        in ? namespace_group_add(ns, object, labels) : namespace_group_remove(ns, object, labels);
    dirty_queue_group_services(&cluster->dirty, group);
    if (object->kind == OBJECT_POD)
        dirty_queue_group_workloads(&cluster->dirty, group);
    namespace_prune(ns, group);
}

static void bare_pod_in(struct cluster *cluster, struct ns *ns, const struct pod *pod)
{
    struct bare_pod *bare = g_hash_table_lookup(ns->bare_pods, pod->object.name);
    if (!bare && pods_is_open(&cluster->pods, pod)) {
        bare = g_new0(struct bare_pod, 1);
        bare->name = name_intern(pod->object.name);
        bare->ns = ns;
        g_hash_table_insert(ns->bare_pods, (gpointer)bare->name, bare);
    }
    dirty_queue_pod(&cluster->dirty, bare);
}

void index_pod_name(struct cluster *cluster, struct ns *ns, const struct address *pod_ip, bool in)
{
    if (!cluster->options->pod_names)
        return;
    if (in)
        reverse_claim(cluster->reverse, pod_ip, CLAIM_POD, &ns->pods, NULL);
    else
        reverse_unclaim(cluster->reverse, pod_ip, CLAIM_POD, &ns->pods, NULL);
}

void index_withdraw_pod(struct cluster *cluster, struct bare_pod *pod)
{
    for (unsigned i = 0; i < pod->n_claimed; i++)
        index_pod_name(cluster, pod->ns, &pod->claimed[i], false);
    pod->n_claimed = 0;
}

void index_withdraw_replicas(struct cluster *cluster, struct workload_state *state)
{
    for (guint i = 0; i < state->pod_ips->len; i++) {
        index_pod_name(cluster, state->ns, &g_array_index(state->pod_ips, struct address, i),
                       false);
    }
    g_array_set_size(state->pod_ips, 0);
}

static void pod_in(struct cluster *cluster, struct ns *ns, struct pod *pod, bool in)
{
    state_addresses(cluster, &pod->addresses, in);
    state_addresses(cluster, &pod->spec->stated, in);
    group_in(cluster, ns, &pod->object, pod->spec->labels, in);
    if (pod->owner.name) {
        namespace_note_owned(ns, &pod->owner, in);
        mark_owners(cluster, ns, &pod->owner);
    }
    if (pods_is_open(&cluster->pods, pod)) {
        bare_pod_in(cluster, ns, pod);
        return;
    }
    struct pod_view view;
    pods_view(&cluster->pods, pod, &view);
    for (uint32_t i = 0; view.named && i < view.n; i++)
        index_pod_name(cluster, ns, &view.addresses[i], in);
}

static void workload_in(struct cluster *cluster, struct ns *ns, struct workload *workload, bool in)
{
    struct workload_state *state =
        namespace_workload(ns, workload->object.kind, workload->object.name);
    if (!state) {
        state = g_new0(struct workload_state, 1);
        state->ns = ns;
        state->identity = (struct owner){.kind = workload->object.kind,
                                         .name = name_intern(workload->object.name)};
        state->pod_ips = g_array_new(FALSE, FALSE, sizeof(struct address));
        g_hash_table_insert(ns->workloads, &state->identity, state);
    }
    namespace_unselect(ns, &state->selection);
    state->object = in ? workload : NULL;
    if (in && (workload->selector || workload->n_requirements > 0)) {
        const struct labels *selector =
            workload->selector ? labels_ref(workload->selector) : labels_new(NULL, 0);
        namespace_select(ns, &state->selection, selector, true);
        labels_unref(selector);
    }
    g_ptr_array_add(cluster->dirty.unlinked, ns);
    state_addresses(cluster, &workload->template.stated, in);
    group_in(cluster, ns, &workload->object, workload->template.labels, in);
    dirty_queue_workload(&cluster->dirty, state);
    if (workload->owner.name)
        namespace_note_dependent(ns, workload, in);
    mark_owners(cluster, ns, &workload->owner);
    mark_rivals(cluster, ns, &state->identity);
    mark_dependents(cluster, ns, &state->identity);
}

static void autoscaler_in(struct cluster *cluster, struct ns *ns,
                          const struct autoscaler *autoscaler, bool in)
{
    if (autoscaler->target.kind == OBJECT_KINDS || !autoscaler->target.name)
        return;
    namespace_note_autoscaler(ns, autoscaler, in);
    struct workload_state *state = workload_of(ns, &autoscaler->target);
    if (!state)
        return;
    dirty_queue_workload(&cluster->dirty, state);
    /* the number of replicas decides which names a StatefulSet generates */
    namespace_contest(ns, &state->selection);
    g_ptr_array_add(cluster->dirty.unlinked, ns);
}

static void bare_pod_free(gpointer data)
{
    struct bare_pod *pod = data;
    name_unref(pod->name);
    g_free(pod);
}

static struct ns *namespace_of(struct cluster *cluster, const char *name)
{
    struct ns *ns = g_hash_table_lookup(cluster->namespaces, name);
    if (ns)
        return ns;
    ns = namespace_new(name, (GDestroyNotify)service_state_free,
                       (GDestroyNotify)workload_state_free, bare_pod_free);
    g_hash_table_insert(cluster->namespaces, (gpointer)ns->name, ns);
    return ns;
}

void index_object(struct cluster *cluster, struct object *object, bool in)
{
    struct ns *ns = namespace_of(cluster, object->ns);
    ns->mentions += in ? 1 : UINT32_MAX; /* modulo 2^32: minus one */
    if (ns->mentions == (in ? 1 : 0))
        dirty_queue_namespace(&cluster->dirty, ns);
    switch ((enum object_kind)object->kind) {
    case OBJECT_SERVICE: service_in(cluster, ns, (struct service *)object, in); break;
    case OBJECT_ENDPOINT_SLICE: slice_in(cluster, ns, (struct endpoint_slice *)object, in); break;
    case OBJECT_ENDPOINTS: endpoints_in(cluster, ns, (struct endpoint_slice *)object, in); break;
    case OBJECT_POD: pod_in(cluster, ns, (struct pod *)object, in); break;
    case OBJECT_AUTOSCALER:
        autoscaler_in(cluster, ns, (const struct autoscaler *)object, in);
        break;
    case OBJECT_NAMESPACE:
    case OBJECT_MENTION: break;
    default: workload_in(cluster, ns, (struct workload *)object, in); break;
    }
}
