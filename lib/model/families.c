/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The families of a Service. A cluster has a primary family, and a Service that asks for nothing
 * else has only that one; manifests do not state it, but the first address of each pod is of it.
 */
#include "families.h"

#include "workload.h"

static unsigned stated_families(const struct service *service)
{
    unsigned families = 0;
    for (unsigned i = 0; i < service->n_families; i++)
        families |= FAMILY_BIT(service->families[i]);
    for (uint32_t i = 0; service->n_families == 0 && i < service->cluster_ips.n; i++)
        families |= FAMILY_BIT(address_family(&service->cluster_ips.items[i]));
    return families;
}

static unsigned first_family_of(const struct service_state *state, const struct pod_view *view)
{
    return service_selects(state, view) && view->n > 0
               ? FAMILY_BIT(address_family(&view->addresses[0]))
               : 0;
}

static unsigned first_family_of_workload(const struct service_state *state,
                                         const struct object *object, const struct pods *pods)
{
    const struct workload_state *workload =
        namespace_workload(state->ns, object->kind, object->name);
    unsigned family = 0;
    for (uint32_t i = 0; workload && i < workload->replicas && family == 0; i++) {
        struct pod_view view;
        pods_view_replica(pods, workload->object, i, &view);
        family = first_family_of(state, &view);
        if (!state->partial && !pods->sightings) /* they are all alike */
            break;
    }
    return family;
}

static unsigned first_family_of_member(const struct service_state *state,
                                       const struct object *object, const struct pods *pods)
{
    if (object->kind != OBJECT_POD)
        return first_family_of_workload(state, object, pods);
    struct pod_view view;
    pods_view(pods, (const struct pod *)object, &view);
    return first_family_of(state, &view);
}

/* IPv4 if pods differ, which does not happen in a cluster. */
static unsigned first_family(const struct service_state *state, const struct pods *pods)
{
    const GPtrArray *groups = state->selection.groups;
    unsigned found = 0;
    for (guint i = 0; groups && i < groups->len; i++) {
        const GPtrArray *members = ((const struct group *)groups->pdata[i])->members;
        for (guint j = 0; j < members->len; j++) {
            found |= first_family_of_member(state, members->pdata[j], pods);
            if (found & FAMILY_BIT(4))
                return FAMILY_BIT(4);
        }
    }
    return found ? found : FAMILY_BOTH;
}

unsigned families_of_pods(const struct service_state *state, const struct pods *pods)
{
    const struct service *service = state->object;
    unsigned stated = stated_families(service);
    if (endpoints_source(pods, state) != ENDPOINTS_PODS)
        return FAMILY_BOTH;
    if (stated != 0)
        return stated;
    if (service->family_policy == FAMILY_PREFER_DUAL ||
        service->family_policy == FAMILY_REQUIRE_DUAL)
        return FAMILY_BOTH;
    return first_family(state, pods);
}
