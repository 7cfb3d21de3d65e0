/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists are returned sorted by name, so that the order of work, and thus every first lease, does
 * not depend on the order of events.
 */
#include "dirty_queue.h"

#include <string.h>

void dirty_queue_init(struct dirty_queue *queue)
{
    queue->namespaces = g_ptr_array_new();
    queue->stated = g_array_new(FALSE, FALSE, sizeof(struct address));
    queue->unlinked = g_ptr_array_new();
    queue->pods = g_ptr_array_new();
    queue->workloads = g_ptr_array_new();
    queue->services = g_ptr_array_new();
}

void dirty_queue_clear(struct dirty_queue *queue)
{
    g_ptr_array_unref(queue->namespaces);
    g_array_unref(queue->stated);
    g_ptr_array_unref(queue->unlinked);
    g_ptr_array_unref(queue->pods);
    g_ptr_array_unref(queue->workloads);
    g_ptr_array_unref(queue->services);
}

static int compare_pods(const void *a, const void *b)
{
    const struct bare_pod *x = *(const struct bare_pod *const *)a,
                          *y = *(const struct bare_pod *const *)b;
    int order = strcmp(x->ns->name, y->ns->name);
    return order != 0 ? order : strcmp(x->name, y->name);
}

static int compare_services(const void *a, const void *b)
{
    const struct service_state *x = *(const struct service_state *const *)a,
                               *y = *(const struct service_state *const *)b;
    int order = strcmp(x->owner.ns, y->owner.ns);
    return order != 0 ? order : strcmp(x->owner.name, y->owner.name);
}

static int compare_workloads(const void *a, const void *b)
{
    const struct workload_state *x = *(const struct workload_state *const *)a,
                                *y = *(const struct workload_state *const *)b;
    int order = strcmp(x->ns->name, y->ns->name);
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

void dirty_queue_namespace(struct dirty_queue *queue, struct ns *ns)
{
    add(queue->namespaces, ns, &ns->dirty);
}

void dirty_queue_service(struct dirty_queue *queue, struct service_state *state)
{
    if (state)
        add(queue->services, state, &state->dirty);
}

void dirty_queue_workload(struct dirty_queue *queue, struct workload_state *state)
{
    if (state)
        add(queue->workloads, state, &state->dirty);
}

void dirty_queue_pod(struct dirty_queue *queue, struct bare_pod *pod)
{
    if (pod)
        add(queue->pods, pod, &pod->dirty);
}

/* A selection is the state that it belongs to. */
static void add_selecting(struct dirty_queue *queue, const struct group *group, bool workloads)
{
    for (guint i = 0; i < group->selections->len; i++) {
        void *selection = group->selections->pdata[i];
        if (((const struct selection *)selection)->of_workload != workloads)
            continue;
        if (workloads)
            dirty_queue_workload(queue, selection);
        else
            dirty_queue_service(queue, selection);
    }
}

void dirty_queue_group_services(struct dirty_queue *queue, const struct group *group)
{
    add_selecting(queue, group, false);
}

void dirty_queue_group_workloads(struct dirty_queue *queue, const struct group *group)
{
    add_selecting(queue, group, true);
}

static GPtrArray *take(GPtrArray **listp, GCompareFunc compare)
{
    GPtrArray *list = *listp;
    *listp = g_ptr_array_new();
    g_ptr_array_sort(list, compare);
    return list;
}

GPtrArray *dirty_queue_take_pods(struct dirty_queue *queue)
{
    return take(&queue->pods, compare_pods);
}

GPtrArray *dirty_queue_take_workloads(struct dirty_queue *queue)
{
    return take(&queue->workloads, compare_workloads);
}

GPtrArray *dirty_queue_take_services(struct dirty_queue *queue)
{
    return take(&queue->services, compare_services);
}
