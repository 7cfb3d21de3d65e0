/*
 * The agenda: what is to be worked out again, each thing once. Handed out sorted by name, so that
 * the order of work, and with it every first lease, does not depend on the order of events.
 */
#include <string.h>

#include "cluster_private.h"

static void list_init(struct agenda_list *list)
{
    list->items = g_ptr_array_new();
    list->sorted = true;
}

void agenda_init(struct agenda *agenda)
{
    agenda->namespaces = g_ptr_array_new();
    agenda->stated = g_array_new(FALSE, FALSE, sizeof(struct address));
    agenda->unlinked = g_ptr_array_new();
    list_init(&agenda->pods);
    list_init(&agenda->workloads);
    list_init(&agenda->services);
}

void agenda_clear(struct agenda *agenda)
{
    g_ptr_array_unref(agenda->namespaces);
    g_array_unref(agenda->stated);
    g_ptr_array_unref(agenda->unlinked);
    g_ptr_array_unref(agenda->pods.items);
    g_ptr_array_unref(agenda->workloads.items);
    g_ptr_array_unref(agenda->services.items);
}

bool agenda_is_empty(const struct agenda *agenda)
{
    return agenda->namespaces->len == 0 && agenda->unlinked->len == 0 && agenda->stated->len == 0 &&
           agenda->pods.items->len == 0 && agenda->workloads.items->len == 0 &&
           agenda->services.items->len == 0;
}

static void add(struct agenda_list *list, void *item, bool *dirty)
{
    if (*dirty)
        return;
    *dirty = true;
    list->sorted = false;
    g_ptr_array_add(list->items, item);
}

static void *next(struct agenda_list *list, GCompareFunc compare)
{
    if (list->items->len == 0)
        return NULL;
    if (!list->sorted)
        g_ptr_array_sort(list->items, compare);
    list->sorted = true;
    return g_ptr_array_remove_index(list->items, list->items->len - 1);
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
        add(&agenda->services, state, &state->dirty);
}

void agenda_workload(struct agenda *agenda, struct workload_state *state)
{
    if (state)
        add(&agenda->workloads, state, &state->dirty);
}

void agenda_pod(struct agenda *agenda, struct bare_pod *pod)
{
    if (pod)
        add(&agenda->pods, pod, &pod->dirty);
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

static int descending(const struct claim_owner *x, const struct claim_owner *y)
{
    int order = strcmp(y->namespace, x->namespace);
    return order != 0 ? order : strcmp(y->name, x->name);
}

static int compare_pods(gconstpointer a, gconstpointer b)
{
    const struct bare_pod *x = *(struct bare_pod *const *)a, *y = *(struct bare_pod *const *)b;
    return descending(&x->owner, &y->owner);
}

static int compare_services(gconstpointer a, gconstpointer b)
{
    const struct service_state *x = *(struct service_state *const *)a,
                               *y = *(struct service_state *const *)b;
    return descending(&x->owner, &y->owner);
}

static int compare_workloads(gconstpointer a, gconstpointer b)
{
    const struct workload_state *x = *(struct workload_state *const *)a,
                                *y = *(struct workload_state *const *)b;
    int order = strcmp(y->namespace->name, x->namespace->name);
    if (order == 0)
        order = strcmp(y->identity.name, x->identity.name);
    return order != 0 ? order : (int)y->identity.kind - (int)x->identity.kind;
}

struct bare_pod *agenda_next_pod(struct agenda *agenda)
{
    return next(&agenda->pods, compare_pods);
}

struct workload_state *agenda_next_workload(struct agenda *agenda)
{
    return next(&agenda->workloads, compare_workloads);
}

struct service_state *agenda_next_service(struct agenda *agenda)
{
    return next(&agenda->services, compare_services);
}
