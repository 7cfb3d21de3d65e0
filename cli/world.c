/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The checked world. It uses the same indexes as the daemon's cluster, but computes no names or
 * addresses, and keeps objects that the daemon would leave out as broken: they exist, and reporting
 * them as missing would be wrong.
 */
#include "world.h"

#include <string.h>

#include "lib/model/pods.h"
#include "lib/util/hash.h"

#define COMPARISONS_MAX 5000000u

struct world {
    GPtrArray *records;
    GPtrArray *makers;
    GHashTable *in_force;   /* set of struct record *, by identity */
    GHashTable *namespaces; /* interned name -> struct namespace * */
    size_t comparisons;     /* that are left */
};

static guint identity_hash(gconstpointer data)
{
    const struct object *object = ((const struct record *)data)->object;
    return hash_text(object->name) ^ hash_text(object->namespace) * 31u ^ object->kind;
}

static gboolean identity_equal(gconstpointer a, gconstpointer b)
{
    const struct object *x = ((const struct record *)a)->object;
    const struct object *y = ((const struct record *)b)->object;
    return x->kind == y->kind && strcmp(x->namespace, y->namespace) == 0 &&
           strcmp(x->name, y->name) == 0;
}

static void release_diagnostic(gpointer diagnostic)
{
    diagnostic_free(diagnostic);
}

static void clear_target(gpointer target)
{
    g_free(((struct target *)target)->name);
}

struct record *record_new(const struct object *object)
{
    struct record *record = g_new0(struct record, 1);
    record->object = (struct object *)(uintptr_t)object;
    record->diagnostics = g_ptr_array_new_with_free_func(release_diagnostic);
    if (object->kind == OBJECT_SERVICE) {
        record->targets = g_array_new(FALSE, FALSE, sizeof(struct target));
        g_array_set_clear_func(record->targets, clear_target);
    }
    return record;
}

void record_free(void *data)
{
    struct record *record = data;
    g_clear_pointer(&record->selection.groups, g_ptr_array_unref);
    labels_unref(record->selection.selector);
    if (record->targets)
        g_array_unref(record->targets);
    g_ptr_array_unref(record->diagnostics);
    object_free(record->object);
    g_free(record);
}

static void namespace_release(gpointer namespace)
{
    namespace_free(namespace);
}

struct world *world_new(void)
{
    struct world *world = g_new0(struct world, 1);
    world->comparisons = COMPARISONS_MAX;
    world->records = g_ptr_array_new_with_free_func(record_free);
    world->makers = g_ptr_array_new_with_free_func(maker_free);
    world->in_force = g_hash_table_new(identity_hash, identity_equal);
    world->namespaces =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, namespace_release);
    return world;
}

static struct namespace *find_namespace(const struct world *world, const char *name)
{
    return g_hash_table_lookup(world->namespaces, name);
}

struct world *world_free(struct world *world)
{
    if (!world)
        return NULL;
    g_hash_table_unref(world->namespaces);
    g_hash_table_unref(world->in_force);
    g_ptr_array_unref(world->records);
    g_ptr_array_unref(world->makers);
    g_free(world);
    return NULL;
}

void world_add(struct world *world, struct record *record)
{
    const struct record *before = g_hash_table_lookup(world->in_force, record);
    g_ptr_array_add(world->records, record);
    if (!before || !record->object->refused || before->object->refused)
        g_hash_table_replace(world->in_force, record, record);
}

void maker_free(void *data)
{
    struct maker *maker = data;
    if (!maker)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(maker->labels); i++)
        labels_unref(maker->labels[i]);
    g_free(maker->namespace);
    g_free(maker->name);
    g_free(maker);
}

void world_add_maker(struct world *world, struct maker *maker)
{
    g_ptr_array_add(world->makers, maker);
}

/* Operators label pods with the name of the resource they were created for, or a variation of
 * it. */
static bool may_make(const struct maker *maker, const struct labels *selector)
{
    for (uint32_t i = 0; i < selector->n; i++)
        if (strcmp(selector->pairs[i].value, maker->name) == 0)
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(maker->labels) && maker->labels[i]; i++)
        if (labels_match(selector, maker->labels[i]))
            return true;
    return false;
}

bool world_makes(const struct world *world, const char *namespace, const struct labels *selector)
{
    for (guint i = 0; i < world->makers->len; i++) {
        const struct maker *maker = world->makers->pdata[i];
        if ((!maker->namespace || strcmp(maker->namespace, namespace) == 0) &&
            may_make(maker, selector))
            return true;
    }
    return false;
}

static void put_in(struct world *world, struct record *record)
{
    struct object *object = record->object;
    struct namespace *namespace = find_namespace(world, object->namespace);
    const struct pod_spec *spec = world_pod_spec(object);
    if (!namespace) {
        namespace = namespace_new(object->namespace);
        g_hash_table_insert(world->namespaces, (gpointer) namespace->name, namespace);
    }
    if (object->kind == OBJECT_SERVICE) {
        const struct service *service = (const struct service *)object;
        if (!service->selector)
            return;
        const struct labels *selector = pods_selector(service->selector, &record->partial);
        namespace_select(namespace, &record->selection, selector, false);
        labels_unref(selector);
    } else if (object->kind == OBJECT_ENDPOINT_SLICE) {
        if (((struct endpoint_slice *)object)->service)
            namespace_slice_add(namespace, (struct endpoint_slice *)object);
    } else if (spec) {
        namespace_group_add(namespace, object, spec->labels);
    }
}

void world_index(struct world *world)
{
    GHashTableIter iter;
    gpointer item;
    for (guint i = 0; i < world->records->len; i++)
        if (world_is_in_force(world, world->records->pdata[i]))
            put_in(world, world->records->pdata[i]);
    g_hash_table_iter_init(&iter, world->namespaces);
    while (g_hash_table_iter_next(&iter, NULL, &item))
        namespace_link(item);
}

const GPtrArray *world_records(const struct world *world)
{
    return world->records;
}

const struct record *world_find(const struct world *world, enum object_kind kind,
                                const char *namespace, const char *name)
{
    struct object object = {.kind = (uint8_t)kind, .namespace = namespace, .name = name};
    struct record probe = {.object = &object};
    return g_hash_table_lookup(world->in_force, &probe);
}

bool world_is_in_force(const struct world *world, const struct record *record)
{
    return g_hash_table_lookup(world->in_force, record) == record;
}

const struct namespace *world_namespace(const struct world *world, const char *name)
{
    return find_namespace(world, name);
}

void world_each_namespace(const struct world *world,
                          void (*each)(void *userdata, const struct namespace *namespace),
                          void *userdata)
{
    GHashTableIter iter;
    gpointer namespace;
    g_hash_table_iter_init(&iter, world->namespaces);
    while (g_hash_table_iter_next(&iter, NULL, &namespace))
        each(userdata, namespace);
}

bool world_affords(struct world *world, size_t comparisons)
{
    bool affords = comparisons <= world->comparisons;
    world->comparisons -= MIN(comparisons, world->comparisons);
    return affords;
}

const struct pod_spec *world_pod_spec(const struct object *object)
{
    if (object->kind == OBJECT_POD)
        return ((const struct pod *)object)->spec;
    return object_is_workload(object) ? &((const struct workload *)object)->template : NULL;
}
