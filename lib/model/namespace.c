/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A namespace's indexes. Pods of one workload carry one set of labels, so a selector is compared
 * with each set and not with each pod; and a new set finds the selectors that may match it through
 * one of their pairs, their anchor. Both directions therefore cost what is new, not what exists.
 */
#include "namespace.h"

#include <string.h>

#include "lib/util/hash.h"

static guint pair_hash(gconstpointer data)
{
    const struct label *pair = data;
    return g_direct_hash(pair->key) * 31u + g_direct_hash(pair->value);
}

static gboolean pair_equal(gconstpointer a, gconstpointer b)
{
    const struct label *x = a, *y = b;
    return x->key == y->key && x->value == y->value;
}

static guint owner_hash(gconstpointer data)
{
    const struct owner *owner = data;
    return g_direct_hash(owner->name) * 31u + owner->kind;
}

static gboolean owner_equal(gconstpointer a, gconstpointer b)
{
    const struct owner *x = a, *y = b;
    return x->kind == y->kind && x->name == y->name;
}

static guint identity_hash(gconstpointer data)
{
    const struct owner *owner = data;
    return hash_text(owner->name) ^ owner->kind;
}

static gboolean identity_equal(gconstpointer a, gconstpointer b)
{
    const struct owner *x = a, *y = b;
    return x->kind == y->kind && strcmp(x->name, y->name) == 0;
}

static void group_free(gpointer data)
{
    struct group *group = data;
    labels_unref(group->labels);
    g_ptr_array_unref(group->members);
    g_ptr_array_unref(group->selections);
    g_free(group);
}

static void owner_free(gpointer data)
{
    struct owner *owner = data;
    name_unref(owner->name);
    g_free(owner);
}

static GHashTable *lists_by_owner(void)
{
    return g_hash_table_new_full(owner_hash, owner_equal, owner_free,
                                 (GDestroyNotify)g_ptr_array_unref);
}

struct ns *namespace_new(const char *name, GDestroyNotify free_service,
                         GDestroyNotify free_workload, GDestroyNotify free_pod)
{
    struct ns *ns = g_new0(struct ns, 1);
    ns->name = name_ref(name);
    ns->pods.ns = ns->name;
    ns->services = g_hash_table_new_full(hash_text, g_str_equal, NULL, free_service);
    ns->workloads = g_hash_table_new_full(identity_hash, identity_equal, NULL, free_workload);
    ns->bare_pods = g_hash_table_new_full(hash_text, g_str_equal, NULL, free_pod);
    ns->slices = lists_by_owner();
    ns->endpoints = g_hash_table_new(hash_text, g_str_equal);
    ns->groups = g_hash_table_new_full(NULL, NULL, NULL, group_free);
    ns->anchors =
        g_hash_table_new_full(pair_hash, pair_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    ns->unlinked = g_ptr_array_new();
    ns->owned = g_hash_table_new_full(owner_hash, owner_equal, owner_free, g_free);
    ns->dependents = lists_by_owner();
    ns->autoscalers = lists_by_owner();
    return ns;
}

void namespace_free(struct ns *ns)
{
    g_hash_table_unref(ns->services);
    g_hash_table_unref(ns->workloads);
    g_hash_table_unref(ns->bare_pods);
    g_hash_table_unref(ns->slices);
    g_hash_table_unref(ns->endpoints);
    g_hash_table_unref(ns->groups);
    g_hash_table_unref(ns->anchors);
    g_ptr_array_unref(ns->unlinked);
    g_hash_table_unref(ns->owned);
    g_hash_table_unref(ns->dependents);
    g_hash_table_unref(ns->autoscalers);
    name_unref(ns->name);
    g_free(ns);
}

static void link_pair(struct selection *selection, struct group *group)
{
    if (!labels_match(selection->selector, group->labels))
        return;
    g_ptr_array_add(selection->groups, group);
    g_ptr_array_add(group->selections, selection);
    group->contested |= selection->of_workload;
}

/* Selections without any pair match every group; they are anchored at a pair that no labels
 * have. */
static const struct label *anchor_of(const struct selection *selection)
{
    static const struct label all = {NULL, NULL};
    return selection->selector->n > 0 ? &selection->selector->pairs[0] : &all;
}

static void link_anchored(GHashTable *anchors, const struct label *pair, struct group *group)
{
    const GPtrArray *selections = g_hash_table_lookup(anchors, pair);
    for (guint i = 0; selections && i < selections->len; i++)
        link_pair(selections->pdata[i], group);
}

static void link_group(GHashTable *anchors, struct group *group)
{
    for (uint32_t i = 0; i < group->labels->n; i++)
        link_anchored(anchors, &group->labels->pairs[i], group);
    link_anchored(anchors, &(struct label){NULL, NULL}, group);
}

static void anchor(GHashTable *anchors, struct selection *selection)
{
    const struct label *pair = anchor_of(selection);
    GPtrArray *selections = g_hash_table_lookup(anchors, pair);
    if (!selections) {
        selections = g_ptr_array_new();
        g_hash_table_insert(anchors, (gpointer)pair, selections);
    }
    g_ptr_array_add(selections, selection);
}

/* The table's key belongs to one selector among several: when that selector goes, the entry must be
 * rekeyed. */
static void unanchor(GHashTable *anchors, struct selection *selection)
{
    GPtrArray *selections = g_hash_table_lookup(anchors, anchor_of(selection));
    g_ptr_array_remove_fast(selections, selection);
    gpointer key, value;
    g_hash_table_steal_extended(anchors, anchor_of(selection), &key, &value);
    if (selections->len == 0)
        g_ptr_array_unref(selections);
    else
        g_hash_table_insert(anchors, (gpointer)anchor_of(selections->pdata[0]), selections);
}

struct group *namespace_group_add(struct ns *ns, struct object *object, const struct labels *labels)
{
    struct group *group = namespace_group(ns, labels);
    if (!group) {
        group = g_new0(struct group, 1);
        group->labels = labels_ref(labels);
        group->members = g_ptr_array_new();
        group->selections = g_ptr_array_new();
        g_hash_table_insert(ns->groups, (gpointer)labels, group);
        link_group(ns->anchors, group);
    }
    group->n_pods += object->kind == OBJECT_POD;
    object->slot = group->members->len;
    g_ptr_array_add(group->members, object);
    return group;
}

struct group *namespace_group_remove(struct ns *ns, struct object *object,
                                     const struct labels *labels)
{
    struct group *group = namespace_group(ns, labels);
    group->n_pods -= object->kind == OBJECT_POD;
    g_ptr_array_remove_index_fast(group->members, object->slot);
    if (object->slot < group->members->len)
        ((struct object *)group->members->pdata[object->slot])->slot = object->slot;
    return group;
}

struct group *namespace_group(const struct ns *ns, const struct labels *labels)
{
    return g_hash_table_lookup(ns->groups, labels);
}

void namespace_prune(struct ns *ns, struct group *group)
{
    if (group->members->len > 0)
        return;
    for (guint i = 0; i < group->selections->len; i++)
        g_ptr_array_remove_fast(((struct selection *)group->selections->pdata[i])->groups, group);
    g_hash_table_remove(ns->groups, group->labels);
}

void namespace_select(struct ns *ns, struct selection *selection, const struct labels *selector,
                      bool of_workload)
{
    selection->selector = labels_ref(selector);
    selection->groups = g_ptr_array_new();
    selection->linked = false;
    selection->of_workload = of_workload;
    g_ptr_array_add(ns->unlinked, selection);
}

void namespace_unselect(struct ns *ns, struct selection *selection)
{
    if (!selection->selector)
        return;
    if (selection->linked)
        unanchor(ns->anchors, selection);
    else
        g_ptr_array_remove_fast(ns->unlinked, selection);
    for (guint i = 0; i < selection->groups->len; i++) {
        struct group *group = selection->groups->pdata[i];
        g_ptr_array_remove_fast(group->selections, selection);
        group->contested |= selection->of_workload;
    }
    ns->contested |= selection->of_workload;
    g_ptr_array_unref(selection->groups);
    labels_unref(selection->selector);
    memset(selection, 0, sizeof *selection);
}

void namespace_link(struct ns *ns)
{
    if (ns->unlinked->len == 0)
        return;
    g_autoptr(GHashTable) fresh =
        g_hash_table_new_full(pair_hash, pair_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < ns->unlinked->len; i++) {
        struct selection *selection = ns->unlinked->pdata[i];
        selection->linked = true;
        ns->contested |= selection->of_workload;
        anchor(fresh, selection);
        anchor(ns->anchors, selection);
    }
    GHashTableIter iter;
    gpointer group;
    g_hash_table_iter_init(&iter, ns->groups);
    while (g_hash_table_iter_next(&iter, NULL, &group))
        link_group(fresh, group);
    g_ptr_array_set_size(ns->unlinked, 0);
}

void namespace_contest(struct ns *ns, const struct selection *selection)
{
    for (guint i = 0; selection->groups && i < selection->groups->len; i++)
        ((struct group *)selection->groups->pdata[i])->contested = true;
    ns->contested = true;
}

void namespace_contested(struct ns *ns, void (*each)(void *userdata, const struct group *group),
                         void *userdata)
{
    GHashTableIter iter;
    struct group *group;
    if (!ns->contested)
        return;
    ns->contested = false;
    g_hash_table_iter_init(&iter, ns->groups);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&group)) {
        if (group->contested && group->n_pods > 0)
            each(userdata, group);
        group->contested = false;
    }
}

static struct owner *owner_copy(const struct owner *owner)
{
    struct owner *copy = g_memdup2(owner, sizeof *owner);
    name_ref(copy->name);
    return copy;
}

/* Adds an object to the list of a key, or removes it. */
static void note(GHashTable *table, const struct owner *key, gconstpointer object, bool in)
{
    GPtrArray *objects = g_hash_table_lookup(table, key);
    if (!in) {
        g_ptr_array_remove_fast(objects, (gpointer)object);
        if (objects->len == 0)
            g_hash_table_remove(table, key);
        return;
    }
    if (!objects) {
        objects = g_ptr_array_new();
        g_hash_table_insert(table, owner_copy(key), objects);
    }
    g_ptr_array_add(objects, (gpointer)object);
}

static struct owner service_key(const char *name)
{
    return (struct owner){.kind = OBJECT_SERVICE, .name = name};
}

void namespace_note_slice(struct ns *ns, const struct endpoint_slice *slice, bool in)
{
    const struct owner service = service_key(slice->service);
    note(ns->slices, &service, slice, in);
}

const GPtrArray *namespace_slices(const struct ns *ns, const char *service)
{
    const struct owner key = service_key(service);
    return g_hash_table_lookup(ns->slices, &key);
}

void namespace_note_dependent(struct ns *ns, const struct workload *workload, bool in)
{
    note(ns->dependents, &workload->owner, workload, in);
}

const GPtrArray *namespace_dependents(const struct ns *ns, const struct owner *owner)
{
    return g_hash_table_lookup(ns->dependents, owner);
}

void namespace_note_autoscaler(struct ns *ns, const struct autoscaler *autoscaler, bool in)
{
    note(ns->autoscalers, &autoscaler->target, autoscaler, in);
}

const GPtrArray *namespace_autoscalers(const struct ns *ns, const struct owner *target)
{
    return g_hash_table_lookup(ns->autoscalers, target);
}

void namespace_note_owned(struct ns *ns, const struct owner *owner, bool in)
{
    guint *n = g_hash_table_lookup(ns->owned, owner);
    if (!n) {
        n = g_new0(guint, 1);
        g_hash_table_insert(ns->owned, owner_copy(owner), n);
    }
    *n += in ? 1 : G_MAXUINT; /* modulo: minus one */
    if (*n == 0)
        g_hash_table_remove(ns->owned, owner);
}

bool namespace_has_owned(const struct ns *ns, const struct owner *owner)
{
    return g_hash_table_contains(ns->owned, owner);
}

struct workload_state *namespace_workload(const struct ns *ns, enum object_kind kind,
                                          const char *name)
{
    return g_hash_table_lookup(ns->workloads, &(struct owner){.kind = (uint8_t)kind, .name = name});
}
