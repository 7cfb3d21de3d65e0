/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which pods belong to which workload (rule 101). Owner references decide if both ends are in the
 * manifests; otherwise a name that the workload's controller generates and labels that its selector
 * matches. A pod owned by none is one more endpoint beside the replicas, except that ReplicaSets
 * and similar controllers adopt it, and run one fewer.
 */
#include "workload.h"

#include <string.h>

/* Owners of owners: Deployment -> ReplicaSet, CronJob -> Job. Deeper is a mistake or a loop. */
#define OWNERS_MAX 4u

void workload_state_free(struct workload_state *state)
{
    namespace_unselect(state->ns, &state->selection);
    g_array_unref(state->pod_ips);
    name_unref(state->identity.name);
    g_free(state);
}

uint32_t workload_replicas(const struct workload_state *state)
{
    const struct workload *workload = state->object;
    const GPtrArray *autoscalers =
        workload->unsaid ? namespace_autoscalers(state->ns, &state->identity) : NULL;
    uint32_t replicas = workload->replicas;
    for (guint i = 0; autoscalers && i < autoscalers->len; i++)
        replicas = MAX(replicas, ((const struct autoscaler *)autoscalers->pdata[i])->replicas);
    return replicas;
}

static struct workload *owner_in_files(const struct catalog *catalog, const char *ns,
                                       const struct owner *owner)
{
    if (!owner->name || owner->kind < OBJECT_DEPLOYMENT || owner->kind >= OBJECT_KINDS)
        return NULL;
    return (struct workload *)catalog_find(catalog, owner->kind, ns, owner->name);
}

bool workload_is_owned(const struct catalog *catalog, const struct workload *workload)
{
    return owner_in_files(catalog, workload->object.ns, &workload->owner) != NULL;
}

/* Pods whose owner reference names it, or a workload of the files that it owns. `name` interned. */
static bool has_owned_pods(const struct ns *ns, const struct owner *owner, unsigned depth)
{
    if (namespace_has_owned(ns, owner))
        return true;
    const GPtrArray *dependents = namespace_dependents(ns, owner);
    for (guint i = 0; depth < OWNERS_MAX && dependents && i < dependents->len; i++) {
        const struct object *dependent = dependents->pdata[i];
        const struct workload_state *state =
            namespace_workload(ns, dependent->kind, dependent->name);
        if (has_owned_pods(ns, &state->identity, depth + 1))
            return true;
    }
    return false;
}

/* One that `state` selects, by its name. A Deployment's pods belong to its ReplicaSets, which a
 * dump may lack; any other owner missing from the manifests has created the pod for itself. */
static bool is_own_by_name(const struct catalog *catalog, const struct workload_state *state,
                           const struct pod *pod)
{
    const struct workload *workload = state->object;
    bool another = pod->owner.name && (pod->owner.kind != OBJECT_REPLICA_SET ||
                                       workload->object.kind != OBJECT_DEPLOYMENT);
    return !another && workload_makes_name(workload, workload_replicas(state), pod->object.name) &&
           !owner_in_files(catalog, pod->object.ns, &pod->owner);
}

/* Does a selection of a group belong to a workload in effect whose selector matches it entirely? */
static const struct workload_state *selecting(const struct selection *selection,
                                              const struct group *group)
{
    const struct workload_state *state = (const struct workload_state *)selection;
    return selection->of_workload && state->object && workload_selects(state->object, group->labels)
               ? state
               : NULL;
}

bool workload_has_pods(const struct catalog *catalog, const struct workload_state *state)
{
    if (has_owned_pods(state->ns, &state->identity, 0))
        return true;
    for (guint i = 0; state->selection.groups && i < state->selection.groups->len; i++) {
        const struct group *group = state->selection.groups->pdata[i];
        if (!workload_selects(state->object, group->labels))
            continue;
        for (guint j = 0; j < group->members->len; j++) {
            const struct object *member = group->members->pdata[j];
            if (member->kind == OBJECT_POD &&
                is_own_by_name(catalog, state, (const struct pod *)member))
                return true;
        }
    }
    return false;
}

/* Does the controller adopt pods that it did not create? A Deployment does through its ReplicaSets,
 * which also select by the hash of their template. */
static bool adopts(const struct workload *workload, const struct labels *labels)
{
    switch ((enum object_kind)workload->object.kind) {
    case OBJECT_REPLICA_SET:
    case OBJECT_REPLICATION_CONTROLLER:
    case OBJECT_DAEMON_SET: return true;
    case OBJECT_DEPLOYMENT: return labels_get(labels, "pod-template-hash") != NULL;
    default: return false;
    }
}

/* The adopter of orphans in a group: in a cluster the first to see them, here the first by kind and
 * name; NULL: none. */
static const struct workload_state *adopter(const struct group *group)
{
    const struct workload_state *first = NULL;
    for (guint i = 0; i < group->selections->len; i++) {
        const struct workload_state *state = selecting(group->selections->pdata[i], group);
        if (!state || !adopts(state->object, group->labels))
            continue;
        if (!first || state->identity.kind < first->identity.kind ||
            (state->identity.kind == first->identity.kind &&
             strcmp(state->identity.name, first->identity.name) < 0))
            first = state;
    }
    return first;
}

/* A live Pod without a controller, not created by any of the workloads selecting it. */
static bool is_stray(const struct catalog *catalog, const struct group *group,
                     const struct pod *pod)
{
    if (pod->owner.name || pod->deleting || pod->phase == POD_SUCCEEDED || pod->phase == POD_FAILED)
        return false;
    for (guint i = 0; i < group->selections->len; i++) {
        const struct workload_state *state = selecting(group->selections->pdata[i], group);
        if (state && is_own_by_name(catalog, state, pod))
            return false;
    }
    return true;
}

uint32_t workload_adopted(const struct catalog *catalog, const struct workload_state *state)
{
    uint32_t n = 0, replicas = workload_replicas(state);
    for (guint i = 0; state->selection.groups && i < state->selection.groups->len; i++) {
        const struct group *group = state->selection.groups->pdata[i];
        if (group->n_pods == 0 || adopter(group) != state)
            continue;
        for (guint j = 0; j < group->members->len && n < replicas; j++) {
            const struct object *member = group->members->pdata[j];
            n += member->kind == OBJECT_POD && is_stray(catalog, group, (const struct pod *)member);
        }
    }
    return n;
}

enum pod_relation workload_of_pod(const struct catalog *catalog, const struct ns *ns,
                                  const struct pod *pod, const struct workload_state **workload)
{
    const struct group *group = namespace_group(ns, pod->spec->labels);
    *workload = NULL;
    if (owner_in_files(catalog, ns->name, &pod->owner)) {
        *workload = g_hash_table_lookup(ns->workloads, &pod->owner);
        return POD_OWN;
    }
    for (guint i = 0; group && i < group->selections->len; i++) {
        const struct workload_state *state = selecting(group->selections->pdata[i], group);
        if (!state)
            continue;
        if (!*workload || is_own_by_name(catalog, state, pod))
            *workload = state;
        if (is_own_by_name(catalog, state, pod))
            return POD_OWN;
    }
    if (!*workload)
        return POD_ALONE;
    const struct workload_state *adopting = adopter(group);
    if (!adopting || !is_stray(catalog, group, pod))
        return POD_BESIDE;
    *workload = adopting;
    return POD_ADOPTED;
}
