/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The checked world. It uses the same indexes as the daemon's cluster, but computes no names or
 * addresses, and keeps objects that the daemon would leave out as broken: they exist, and reporting
 * them as missing would be wrong.
 */
#include "lint_model.h"

#include <stdarg.h>
#include <string.h>

#include "lib/model/pods.h"
#include "lib/util/hash.h"

#define COMPARISONS_MAX 5000000u

struct lint_model {
    GPtrArray *records;
    GPtrArray *makers;
    GHashTable *in_force;   /* set of struct lint_record *, by identity */
    GHashTable *namespaces; /* interned name -> struct ns * */
    size_t comparisons;     /* that are left */
};

static guint identity_hash(gconstpointer data)
{
    const struct object *object = ((const struct lint_record *)data)->object;
    return hash_text(object->name) ^ hash_text(object->ns) * 31u ^ object->kind;
}

static gboolean identity_equal(gconstpointer a, gconstpointer b)
{
    const struct object *x = ((const struct lint_record *)a)->object;
    const struct object *y = ((const struct lint_record *)b)->object;
    return x->kind == y->kind && strcmp(x->ns, y->ns) == 0 && strcmp(x->name, y->name) == 0;
}

static void clear_target(gpointer target)
{
    g_free(((struct port_target *)target)->name);
}

struct lint_record *lint_record_new(const struct object *object)
{
    struct lint_record *record = g_new0(struct lint_record, 1);
    record->object = (struct object *)(uintptr_t)object;
    record->diagnostics = g_ptr_array_new_with_free_func((GDestroyNotify)diagnostic_free);
    if (object->kind == OBJECT_SERVICE) {
        record->targets = g_array_new(FALSE, FALSE, sizeof(struct port_target));
        g_array_set_clear_func(record->targets, clear_target);
    }
    return record;
}

void lint_record_free(void *data)
{
    struct lint_record *record = data;
    g_clear_pointer(&record->selection.groups, g_ptr_array_unref);
    labels_unref(record->selection.selector);
    if (record->targets)
        g_array_unref(record->targets);
    g_ptr_array_unref(record->diagnostics);
    object_free(record->object);
    g_free(record);
}

void lint_record_warn(struct lint_record *record, const char *rule, struct position position,
                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *description = object_describe(record->object);
    g_ptr_array_add(record->diagnostics,
                    diagnostic_new(DIAGNOSTIC_WARNING, position.line, position.column, rule,
                                   description, "%s", message));
}

struct lint_model *lint_model_new(void)
{
    struct lint_model *model = g_new0(struct lint_model, 1);
    model->comparisons = COMPARISONS_MAX;
    model->records = g_ptr_array_new_with_free_func(lint_record_free);
    model->makers = g_ptr_array_new_with_free_func(maker_free);
    model->in_force = g_hash_table_new(identity_hash, identity_equal);
    model->namespaces =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, (GDestroyNotify)namespace_free);
    return model;
}

struct lint_model *lint_model_free(struct lint_model *model)
{
    if (!model)
        return NULL;
    g_hash_table_unref(model->namespaces);
    g_hash_table_unref(model->in_force);
    g_ptr_array_unref(model->records);
    g_ptr_array_unref(model->makers);
    g_free(model);
    return NULL;
}

void lint_model_add(struct lint_model *model, struct lint_record *record)
{
    const struct lint_record *before = g_hash_table_lookup(model->in_force, record);
    g_ptr_array_add(model->records, record);
    if (!before || !record->object->refused || before->object->refused)
        g_hash_table_replace(model->in_force, record, record);
}

void maker_free(void *data)
{
    struct maker *maker = data;
    if (!maker)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(maker->labels); i++)
        labels_unref(maker->labels[i]);
    g_free(maker->ns);
    g_free(maker->name);
    g_free(maker);
}

void lint_model_add_maker(struct lint_model *model, struct maker *maker)
{
    g_ptr_array_add(model->makers, maker);
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

bool lint_model_makes(const struct lint_model *model, const char *ns, const struct labels *selector)
{
    for (guint i = 0; i < model->makers->len; i++) {
        const struct maker *maker = model->makers->pdata[i];
        if ((!maker->ns || strcmp(maker->ns, ns) == 0) && may_make(maker, selector))
            return true;
    }
    return false;
}

static void put_in(struct lint_model *model, struct lint_record *record)
{
    struct object *object = record->object;
    struct ns *ns = g_hash_table_lookup(model->namespaces, object->ns);
    const struct pod_spec *spec = lint_model_pod_spec(object);
    if (!ns) {
        ns = namespace_new(object->ns, NULL, NULL, NULL);
        g_hash_table_insert(model->namespaces, (gpointer)ns->name, ns);
    }
    if (object->kind == OBJECT_SERVICE) {
        const struct service *service = (const struct service *)object;
        if (!service->selector)
            return;
        const struct labels *selector = pods_selector(service->selector, &record->partial);
        namespace_select(ns, &record->selection, selector, false);
        labels_unref(selector);
    } else if (object->kind == OBJECT_ENDPOINT_SLICE) {
        if (((struct endpoint_slice *)object)->service)
            namespace_note_slice(ns, (const struct endpoint_slice *)object, true);
    } else if (spec) {
        namespace_group_add(ns, object, spec->labels);
    }
}

void lint_model_index(struct lint_model *model)
{
    GHashTableIter iter;
    gpointer item;
    for (guint i = 0; i < model->records->len; i++)
        if (lint_model_is_in_force(model, model->records->pdata[i]))
            put_in(model, model->records->pdata[i]);
    g_hash_table_iter_init(&iter, model->namespaces);
    while (g_hash_table_iter_next(&iter, NULL, &item))
        namespace_link(item);
}

const GPtrArray *lint_model_records(const struct lint_model *model)
{
    return model->records;
}

const struct lint_record *lint_model_find(const struct lint_model *model, enum object_kind kind,
                                          const char *ns, const char *name)
{
    struct object object = {.kind = (uint8_t)kind, .ns = ns, .name = name};
    struct lint_record probe = {.object = &object};
    return g_hash_table_lookup(model->in_force, &probe);
}

bool lint_model_is_in_force(const struct lint_model *model, const struct lint_record *record)
{
    return g_hash_table_lookup(model->in_force, record) == record;
}

const struct ns *lint_model_namespace(const struct lint_model *model, const char *name)
{
    return g_hash_table_lookup(model->namespaces, name);
}

void lint_model_each_namespace(const struct lint_model *model,
                               void (*each)(void *userdata, const struct ns *ns), void *userdata)
{
    GHashTableIter iter;
    gpointer ns;
    g_hash_table_iter_init(&iter, model->namespaces);
    while (g_hash_table_iter_next(&iter, NULL, &ns))
        each(userdata, ns);
}

bool lint_model_affords(struct lint_model *model, size_t comparisons)
{
    bool affords = comparisons <= model->comparisons;
    model->comparisons -= MIN(comparisons, model->comparisons);
    return affords;
}

const struct pod_spec *lint_model_pod_spec(const struct object *object)
{
    if (object->kind == OBJECT_POD)
        return ((const struct pod *)object)->spec;
    return object_is_workload(object) ? &((const struct workload *)object)->template : NULL;
}
