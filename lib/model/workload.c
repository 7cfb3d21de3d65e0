/*
 * Whose pods are whose. Owner references say it where both ends are in the files; where they do
 * not, a name that begins with the workload's and labels that its selector matches. A pod whose
 * owner is another workload of the files is that one's, however well it would match.
 */
#include "workload.h"

#include <string.h>

/* Owners of owners: Deployment -> ReplicaSet, CronJob -> Job. Deeper is a mistake or a loop. */
#define OWNERS_MAX 4u

static struct workload *owner_in_files(const struct catalog *catalog, const char *namespace,
                                       const struct owner *owner)
{
    if (!owner->name || owner->kind < OBJECT_DEPLOYMENT || owner->kind >= OBJECT_KINDS)
        return NULL;
    return (struct workload *)catalog_find(catalog, owner->kind, namespace, owner->name);
}

bool workload_is_owned(const struct catalog *catalog, const struct workload *workload)
{
    return owner_in_files(catalog, workload->object.namespace, &workload->owner) != NULL;
}

/* Pods whose owner reference names it, or a workload of the files that it owns. `name` interned. */
static bool has_owned_pods(const struct namespace *namespace, const struct owner *owner,
                           unsigned depth, struct fiber *fiber)
{
    if (namespace_owned(namespace, owner->kind, owner->name) > 0)
        return true;
    const GPtrArray *dependents = namespace_dependents(namespace, owner);
    for (guint i = 0; depth < OWNERS_MAX && dependents && i < dependents->len; i++) {
        const struct object *dependent = dependents->pdata[i];
        fiber_tick(fiber);
        const struct workload_state *state =
            g_hash_table_lookup(namespace->workloads,
                                &(struct owner){.kind = dependent->kind, .name = dependent->name});
        if (has_owned_pods(namespace, &state->identity, depth + 1, fiber))
            return true;
    }
    return false;
}

static bool is_own_by_name(const struct catalog *catalog, const struct workload_state *state,
                           const struct pod *pod)
{
    const char *name = state->object->object.name;
    size_t length = strlen(name);
    return strncmp(pod->object.name, name, length) == 0 && pod->object.name[length] == '-' &&
           !owner_in_files(catalog, pod->object.namespace, &pod->owner);
}

bool workload_has_pods(const struct catalog *catalog, const struct workload_state *state,
                       struct fiber *fiber)
{
    if (has_owned_pods(state->namespace, &state->identity, 0, fiber))
        return true;
    for (guint i = 0; state->selection.groups && i < state->selection.groups->len; i++) {
        const struct group *group = state->selection.groups->pdata[i];
        if (!workload_selects(state->object, group->labels))
            continue;
        for (guint j = 0; j < group->members->len; j++) {
            const struct object *member = group->members->pdata[j];
            fiber_tick(fiber);
            if (member->kind == OBJECT_POD &&
                is_own_by_name(catalog, state, (const struct pod *)member))
                return true;
        }
    }
    return false;
}
