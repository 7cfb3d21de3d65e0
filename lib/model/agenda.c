/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The agenda: what must be recomputed, each item once. Returned sorted by name, so that the order
 * of work, and thus every first lease, does not depend on the order of events.
 */
#include <string.h>

#include "cluster_private.h"

void agenda_init(struct agenda *agenda)
{
    agenda->namespaces = g_ptr_array_new();
    agenda->stated = g_array_new(FALSE, FALSE, sizeof(struct address));
    agenda->unlinked = g_ptr_array_new();
    agenda->pods = g_ptr_array_new();
    agenda->workloads = g_ptr_array_new();
    agenda->services = g_ptr_array_new();
}

void agenda_clear(struct agenda *agenda)
{
    g_ptr_array_unref(agenda->namespaces);
    g_array_unref(agenda->stated);
    g_ptr_array_unref(agenda->unlinked);
    g_ptr_array_unref(agenda->pods);
    g_ptr_array_unref(agenda->workloads);
    g_ptr_array_unref(agenda->services);
}

static int compare_owners(const struct claim_owner *x, const struct claim_owner *y)
{
    int order = strcmp(x->namespace, y->namespace);
    return order != 0 ? order : strcmp(x->name, y->name);
}

static int compare_pods(const void *a, const void *b)
{
    const struct bare_pod *x = *(const struct bare_pod *const *)a,
                          *y = *(const struct bare_pod *const *)b;
    return compare_owners(&x->owner, &y->owner);
}

static int compare_services(const void *a, const void *b)
{
    const struct service_state *x = *(const struct service_state *const *)a,
                               *y = *(const struct service_state *const *)b;
    return compare_owners(&x->owner, &y->owner);
}

static int compare_workloads(const void *a, const void *b)
{
    const struct workload_state *x = *(const struct workload_state *const *)a,
                                *y = *(const struct workload_state *const *)b;
    int order = strcmp(x->namespace->name, y->namespace->name);
    if (order == 0)
        order = strcmp(x->identity.name, y->identity.name);
    return order != 0 ? order : (int)x->identity.kind - (int)y->identity.kind;
}

static void add(GPtrArray *list, void *item, bool *dirty)
{
    if (*dirty)
        return;
    *dirty = true;
    g_ptr_array_add(list, item);
}

void agenda_namespace(struct agenda *agenda, struct namespace *namespace)
{
    if (namespace->dirty)
        return;
    namespace->dirty = true;
    g_ptr_array_add(agenda->namespaces, namespace);
}

void agenda_service(struct agenda *agenda, struct service_state *state)
{
    if (state)
        add(agenda->services, state, &state->dirty);
}

void agenda_workload(struct agenda *agenda, struct workload_state *state)
{
    if (state)
        add(agenda->workloads, state, &state->dirty);
}

void agenda_pod(struct agenda *agenda, struct bare_pod *pod)
{
    if (pod)
        add(agenda->pods, pod, &pod->dirty);
}

void agenda_group_services(struct agenda *agenda, const struct group *group)
{
    for (guint i = 0; i < group->selections->len; i++) {
        struct selection *selection = group->selections->pdata[i];
        if (!selection->of_workload)
            agenda_service(agenda, (struct service_state *)selection);
    }
}

void agenda_group_workloads(struct agenda *agenda, const struct group *group)
{
    for (guint i = 0; i < group->selections->len; i++) {
        struct selection *selection = group->selections->pdata[i];
        if (selection->of_workload)
            agenda_workload(agenda, (struct workload_state *)selection);
    }
}

static GPtrArray *take(GPtrArray **listp, GCompareFunc compare)
{
    GPtrArray *list = *listp;
    *listp = g_ptr_array_new();
    g_ptr_array_sort(list, compare);
    return list;
}

GPtrArray *agenda_take_pods(struct agenda *agenda)
{
    return take(&agenda->pods, compare_pods);
}

GPtrArray *agenda_take_workloads(struct agenda *agenda)
{
    return take(&agenda->workloads, compare_workloads);
}

GPtrArray *agenda_take_services(struct agenda *agenda)
{
    return take(&agenda->services, compare_services);
}
