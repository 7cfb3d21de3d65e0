/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Adds objects to the indexes of their namespace and removes them. Each kind puts what it may
 * affect on the queue; nothing is computed here.
 */
#include <string.h>

#include "cluster_private.h"

struct workload_state *index_find_workload(const struct namespace *namespace,
                                           const struct owner *owner)
{
    if (!owner->name || owner->kind < OBJECT_DEPLOYMENT || owner->kind >= OBJECT_KINDS)
        return NULL;
    return g_hash_table_lookup(namespace->workloads, owner);
}

static void mark_owners(struct cluster *cluster, const struct namespace *namespace,
                        const struct owner *owner)
{
    struct workload_state *state = index_find_workload(namespace, owner);
    for (unsigned depth = 0; state && depth < 4; depth++) {
        dirty_queue_workload(&cluster->dirty, state);
        state = state->object ? index_find_workload(namespace, &state->object->owner) : NULL;
    }
}

/* Whether a workload exists decides which pods it owns, for every workload of the namespace that
 * they may be attributed to. */
static void mark_rivals(struct cluster *cluster, const struct namespace *namespace,
                        const struct owner *owner)
{
    if (namespace_owned(namespace, owner->kind, owner->name) == 0)
        return;
    GHashTableIter iter;
    gpointer state;
    g_hash_table_iter_init(&iter, namespace->workloads);
    while (g_hash_table_iter_next(&iter, NULL, &state))
        dirty_queue_workload(&cluster->dirty, state);
}

/* Whether workloads owned by this one are expanded depends on its existence. */
static void mark_dependents(struct cluster *cluster, const struct namespace *namespace,
                            const struct owner *owner)
{
    const GPtrArray *dependents = namespace_dependents(namespace, owner);
    for (guint i = 0; dependents && i < dependents->len; i++) {
        const struct object *dependent = dependents->pdata[i];
        dirty_queue_workload(
            &cluster->dirty,
            index_find_workload(namespace,
                                &(struct owner){.kind = dependent->kind, .name = dependent->name}));
    }
}

static const char *intern(const char *text)
{
    return name_intern(text, strlen(text));
}

static struct bare_pod *find_bare_pod(struct cluster *cluster, const char *namespace,
                                      const char *name)
{
    const char *interned = intern(name);
    struct bare_pod probe = {.owner = {.name = interned, .namespace = namespace}};
    struct bare_pod *pod = g_hash_table_lookup(cluster->bare_pods, &probe);
    name_unref(interned);
    return pod;
}

/* "namespace/Kind/name[/ordinal]" has lost its address: its holder needs another. */
void index_lease_holder(struct cluster *cluster, const char *key)
{
    g_auto(GStrv) parts = g_strsplit(key, "/", 4);
    if (g_strv_length(parts) < 3)
        return;
    const char *name = intern(parts[0]);
    struct namespace *namespace = g_hash_table_lookup(cluster->namespaces, name);
    if (namespace && strcmp(parts[1], "Pod") == 0)
        dirty_queue_pod(&cluster->dirty, find_bare_pod(cluster, name, parts[2]));
    else if (namespace && strcmp(parts[1], "Service") == 0)
        dirty_queue_service(&cluster->dirty, g_hash_table_lookup(namespace->services, parts[2]));
    else if (namespace)
        for (int kind = OBJECT_DEPLOYMENT; kind < OBJECT_KINDS; kind++)
            if (strcmp(parts[1], object_kind_name((enum object_kind)kind)) == 0)
                dirty_queue_workload(
                    &cluster->dirty,
                    index_find_workload(namespace,
                                        &(struct owner){.kind = (uint8_t)kind, .name = parts[2]}));
    name_unref(name);
}

void index_holder(struct cluster *cluster, const struct holder_key *key)
{
    const struct namespace *namespace = g_hash_table_lookup(cluster->namespaces, key->namespace);
    if (key->kind == OBJECT_POD)
        dirty_queue_pod(&cluster->dirty, find_bare_pod(cluster, key->namespace, key->name));
    else if (namespace)
        dirty_queue_workload(
            &cluster->dirty,
            index_find_workload(namespace, &(struct owner){.kind = key->kind, .name = key->name}));
}

/* Whether a lease must give way is decided when all objects are in: one that is only briefly in
 * effect, until the next file overrides it, evicts nothing. */
void index_address(struct cluster *cluster, const struct address *address, bool stated)
{
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

static void service_in(struct cluster *cluster, struct namespace *namespace,
                       struct service *service, bool in)
{
    struct service_state *state = g_hash_table_lookup(namespace->services, service->object.name);
    if (!state) {
        state = g_new0(struct service_state, 1);
        state->namespace = namespace;
        state->owner = (struct claim_owner){.name = intern(service->object.name),
                                            .namespace = name_ref(namespace->name)};
        g_hash_table_insert(namespace->services, (gpointer)state->owner.name, state);
    }
    namespace_unselect(namespace, &state->selection);
    state->object = in ? service : NULL;
    if (in && service->selector) {
        const struct labels *selector = pods_selector(service->selector, &state->partial);
        namespace_select(namespace, &state->selection, selector, false);
        labels_unref(selector);
        g_ptr_array_add(cluster->dirty.unlinked, namespace);
    }
    if (service->type != SERVICE_EXTERNAL_NAME) {
        state_addresses(cluster, &service->cluster_ips, in);
        state_addresses(cluster, &service->stated, in);
    }
    dirty_queue_service(&cluster->dirty, state);
}

static void slice_in(struct cluster *cluster, struct namespace *namespace,
                     struct endpoint_slice *slice, bool in)
{
    state_slice(cluster, slice, in);
    if (!slice->service) /* rule 73 */
        return;
    if (in)
        namespace_slice_add(namespace, slice);
    else
        namespace_slice_remove(namespace, slice);
    dirty_queue_service(&cluster->dirty, g_hash_table_lookup(namespace->services, slice->service));
}

static void endpoints_in(struct cluster *cluster, struct namespace *namespace,
                         struct endpoint_slice *endpoints, bool in)
{
    state_slice(cluster, endpoints, in);
    if (in)
        g_hash_table_insert(namespace->endpoints, (gpointer)endpoints->object.name, endpoints);
    else
        g_hash_table_remove(namespace->endpoints, endpoints->object.name);
    dirty_queue_service(&cluster->dirty,
                        g_hash_table_lookup(namespace->services, endpoints->object.name));
}

static void group_in(struct cluster *cluster, struct namespace *namespace, struct object *object,
                     const struct labels *labels, bool in)
{
    labels = labels ? labels : cluster->no_labels;
    struct group *group = in ? namespace_group_add(namespace, object, labels)
                             : namespace_group_remove(namespace, object, labels);
    dirty_queue_group_services(&cluster->dirty, group);
    if (object->kind == OBJECT_POD)
        dirty_queue_group_workloads(&cluster->dirty, group);
    namespace_prune(namespace, group);
}

static void bare_pod_in(struct cluster *cluster, struct namespace *namespace, const struct pod *pod)
{
    struct bare_pod *bare = find_bare_pod(cluster, namespace->name, pod->object.name);
    if (!bare && pods_is_open(&cluster->pods, pod)) {
        bare = g_new0(struct bare_pod, 1);
        bare->owner = (struct claim_owner){.name = intern(pod->object.name),
                                           .namespace = name_ref(namespace->name)};
        bare->namespace = namespace;
        g_hash_table_add(cluster->bare_pods, bare);
    }
    dirty_queue_pod(&cluster->dirty, bare);
}

void index_pod_name(struct cluster *cluster, struct namespace *namespace,
                    const struct address *pod_ip, bool in)
{
    if (!cluster->options->pod_names)
        return;
    if (in)
        reverse_claim(cluster->reverse, pod_ip, CLAIM_POD, &namespace->pods, NULL);
    else
        reverse_unclaim(cluster->reverse, pod_ip, CLAIM_POD, &namespace->pods, NULL);
}

static void pod_in(struct cluster *cluster, struct namespace *namespace, struct pod *pod, bool in)
{
    state_addresses(cluster, &pod->addresses, in);
    state_addresses(cluster, &pod->spec->stated, in);
    group_in(cluster, namespace, &pod->object, pod->spec->labels, in);
    if (pod->owner.name) {
        if (in)
            namespace_owned_add(namespace, &pod->owner);
        else
            namespace_owned_remove(namespace, &pod->owner);
        mark_owners(cluster, namespace, &pod->owner);
    }
    if (pods_is_open(&cluster->pods, pod)) {
        bare_pod_in(cluster, namespace, pod);
        return;
    }
    struct pod_view view;
    pods_view(&cluster->pods, pod, &view);
    for (uint32_t i = 0; view.named && i < view.n; i++)
        index_pod_name(cluster, namespace, &view.addresses[i], in);
}

static void workload_in(struct cluster *cluster, struct namespace *namespace,
                        struct workload *workload, bool in)
{
    struct owner identity = {.kind = workload->object.kind, .name = workload->object.name};
    struct workload_state *state = g_hash_table_lookup(namespace->workloads, &identity);
    if (!state) {
        state = g_new0(struct workload_state, 1);
        state->namespace = namespace;
        state->identity =
            (struct owner){.kind = workload->object.kind, .name = intern(workload->object.name)};
        state->pod_ips = g_array_new(FALSE, FALSE, sizeof(struct address));
        g_hash_table_insert(namespace->workloads, &state->identity, state);
    }
    namespace_unselect(namespace, &state->selection);
    state->object = in ? workload : NULL;
    if (in && (workload->selector || workload->n_requirements > 0))
        namespace_select(namespace, &state->selection,
                         workload->selector ? workload->selector : cluster->no_labels, true);
    g_ptr_array_add(cluster->dirty.unlinked, namespace);
    state_addresses(cluster, &workload->template.stated, in);
    group_in(cluster, namespace, &workload->object, workload->template.labels, in);
    dirty_queue_workload(&cluster->dirty, state);
    if (workload->owner.name) {
        if (in)
            namespace_dependent_add(namespace, workload);
        else
            namespace_dependent_remove(namespace, workload);
    }
    mark_owners(cluster, namespace, &workload->owner);
    mark_rivals(cluster, namespace, &state->identity);
    mark_dependents(cluster, namespace, &state->identity);
}

static void autoscaler_in(struct cluster *cluster, struct namespace *namespace,
                          const struct autoscaler *autoscaler, bool in)
{
    if (autoscaler->target.kind == OBJECT_KINDS || !autoscaler->target.name)
        return;
    if (in)
        namespace_autoscaler_add(namespace, autoscaler);
    else
        namespace_autoscaler_remove(namespace, autoscaler);
    struct workload_state *state = index_find_workload(namespace, &autoscaler->target);
    if (!state)
        return;
    dirty_queue_workload(&cluster->dirty, state);
    /* the number of replicas decides which names a StatefulSet generates */
    namespace_contest(namespace, &state->selection);
    g_ptr_array_add(cluster->dirty.unlinked, namespace);
}

static struct namespace *namespace_of(struct cluster *cluster, const char *name)
{
    struct namespace *namespace = g_hash_table_lookup(cluster->namespaces, name);
    if (namespace)
        return namespace;
    namespace = namespace_new(name);
    g_hash_table_insert(cluster->namespaces, (gpointer) namespace->name, namespace);
    return namespace;
}

void index_object(struct cluster *cluster, struct object *object, bool in)
{
    struct namespace *namespace = namespace_of(cluster, object->namespace);
    namespace->mentions += in ? 1 : UINT32_MAX; /* modulo 2^32: minus one */
    if (namespace->mentions == (in ? 1 : 0))
        dirty_queue_namespace(&cluster->dirty, namespace);
    switch ((enum object_kind)object->kind) {
    case OBJECT_SERVICE: service_in(cluster, namespace, (struct service *)object, in); break;
    case OBJECT_ENDPOINT_SLICE:
        slice_in(cluster, namespace, (struct endpoint_slice *)object, in);
        break;
    case OBJECT_ENDPOINTS:
        endpoints_in(cluster, namespace, (struct endpoint_slice *)object, in);
        break;
    case OBJECT_POD: pod_in(cluster, namespace, (struct pod *)object, in); break;
    case OBJECT_AUTOSCALER:
        autoscaler_in(cluster, namespace, (const struct autoscaler *)object, in);
        break;
    case OBJECT_NAMESPACE:
    case OBJECT_MENTION: break;
    default: workload_in(cluster, namespace, (struct workload *)object, in); break;
    }
}
