/*
 * The agenda: what is to be worked out again, each thing once. Handed out sorted by name, so that
 * the order of work, and with it every first lease, does not depend on the order of events. Heaps,
 * because things are added while others are taken off.
 */
#include <string.h>

#include "cluster_private.h"

void agenda_init(struct agenda *agenda, struct fiber *fiber)
{
    agenda->fiber = fiber;
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
    const struct bare_pod *x = a, *y = b;
    return compare_owners(&x->owner, &y->owner);
}

static int compare_services(const void *a, const void *b)
{
    const struct service_state *x = a, *y = b;
    return compare_owners(&x->owner, &y->owner);
}

static int compare_workloads(const void *a, const void *b)
{
    const struct workload_state *x = a, *y = b;
    int order = strcmp(x->namespace->name, y->namespace->name);
    if (order == 0)
        order = strcmp(x->identity.name, y->identity.name);
    return order != 0 ? order : (int)x->identity.kind - (int)y->identity.kind;
}

/* How two items compare: negative when `a` comes first. */
typedef int (*compare_items)(const void *a, const void *b);

static void rise(GPtrArray *heap, guint at, compare_items compare)
{
    gpointer item = heap->pdata[at];
    while (at > 0) {
        guint parent = (at - 1) / 2;
        if (compare(heap->pdata[parent], item) <= 0)
            break;
        heap->pdata[at] = heap->pdata[parent];
        at = parent;
    }
    heap->pdata[at] = item;
}

static void add(GPtrArray *heap, void *item, bool *dirty, compare_items compare)
{
    if (*dirty)
        return;
    *dirty = true;
    g_ptr_array_add(heap, item);
    rise(heap, heap->len - 1, compare);
}

/* The hole that the first leaves sinks to the bottom; only there the last item looks for its place,
 * which is near: half the comparisons of letting it sink from the top. */
static void *next(GPtrArray *heap, compare_items compare)
{
    if (heap->len == 0)
        return NULL;
    gpointer first = heap->pdata[0];
    gpointer last = g_ptr_array_remove_index(heap, heap->len - 1);
    guint hole = 0;
    for (guint child; (child = 2 * hole + 1) < heap->len; hole = child) {
        if (child + 1 < heap->len && compare(heap->pdata[child + 1], heap->pdata[child]) < 0)
            child++;
        heap->pdata[hole] = heap->pdata[child];
    }
    if (heap->len > 0) {
        heap->pdata[hole] = last;
        rise(heap, hole, compare);
    }
    return first;
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
        add(agenda->services, state, &state->dirty, compare_services);
}

void agenda_workload(struct agenda *agenda, struct workload_state *state)
{
    if (state)
        add(agenda->workloads, state, &state->dirty, compare_workloads);
}

void agenda_pod(struct agenda *agenda, struct bare_pod *pod)
{
    if (pod)
        add(agenda->pods, pod, &pod->dirty, compare_pods);
}

void agenda_group_services(struct agenda *agenda, const struct group *group)
{
    for (guint i = 0; i < group->selections->len; i++) {
        struct selection *selection = group->selections->pdata[i];
        fiber_tick(agenda->fiber);
        if (!selection->of_workload)
            agenda_service(agenda, (struct service_state *)selection);
    }
}

void agenda_group_workloads(struct agenda *agenda, const struct group *group)
{
    for (guint i = 0; i < group->selections->len; i++) {
        struct selection *selection = group->selections->pdata[i];
        fiber_tick(agenda->fiber);
        if (selection->of_workload)
            agenda_workload(agenda, (struct workload_state *)selection);
    }
}

struct bare_pod *agenda_next_pod(struct agenda *agenda)
{
    return next(agenda->pods, compare_pods);
}

struct workload_state *agenda_next_workload(struct agenda *agenda)
{
    return next(agenda->workloads, compare_workloads);
}

struct service_state *agenda_next_service(struct agenda *agenda)
{
    return next(agenda->services, compare_services);
}
