/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Objects: their lifetime and their names. Relations between objects belong to the catalog and the
 * endpoints; an object is the content of one document of a manifest, and is immutable.
 */
#include "object.h"

#include <string.h>

const struct object_kind_row object_kinds[OBJECT_KINDS] = {
    [OBJECT_MENTION] = {"other objects", {NULL}},
#define KIND(symbol, fields, structure, decoder, name, plural, short_names, listed, ...)           \
    [OBJECT_##symbol] = {name, {__VA_ARGS__}},
    OBJECT_KINDS_EACH(KIND)
#undef KIND
};

struct source *source_new(const char *path, unsigned rank, bool allocate, const char *zone)
{
    struct source *source = g_new0(struct source, 1);

    source->references = 1;
    source->path = g_strdup(path);
    source->rank = rank;
    source->allocate = allocate;
    source->zone = g_strdup(zone);
    return source;
}

struct source *source_ref(struct source *source)
{
    source->references++;
    return source;
}

void source_set_refused(struct source *source, uint32_t n_refused, const struct usage *least)
{
    if (source->account) {
        source->account->n_refusing -= source->n_refused > 0;
        source->account->n_refusing += n_refused > 0;
    }
    source->n_refused = n_refused;
    source->least = *least;
}

bool source_has_room(const struct source *source)
{
    return source->n_refused > 0 && !usage_exceeds(&source->account->used, &source->least);
}

void source_unref(struct source *source)
{
    if (!source || --source->references > 0)
        return;
    source_set_refused(source, 0, &(struct usage){0});
    account_unref(source->account);
    g_free(source->path);
    g_free(source->zone);
    g_free(source);
}

const char *source_namespace(const struct source *source, const char *ns)
{
    if (!source->zone)
        return name_intern(ns);
    g_autofree char *whole = g_strdup_printf("%s@%s", ns, source->zone);
    return name_intern(whole);
}

const char *object_kind_name(enum object_kind kind)
{
    return kind < OBJECT_KINDS ? object_kinds[kind].name : "object";
}

enum object_kind object_kind_find(const char *name)
{
    enum object_kind kind = OBJECT_MENTION + 1;

    while (kind < OBJECT_KINDS && strcmp(object_kinds[kind].name, name) != 0)
        kind++;
    return kind;
}

char *object_describe(const struct object *object)
{
    if (object->kind == OBJECT_NAMESPACE)
        return g_strconcat("Namespace ", object->ns, NULL);
    return g_strconcat(object_kind_name(object->kind), " ", object->ns, "/", object->name, NULL);
}

static void object_clear(void *object)
{
    (void)object; /* nothing but what every object has */
}

static void service_clear(void *object)
{
    struct service *service = object;

    labels_unref(service->selector);
    labels_unref(service->labels);
    g_free(service->cluster_ips.items);
    g_free(service->stated.items);
    ports_unref(service->ports);
    g_free(service->external_name);
}

static void endpoint_slice_clear(void *object)
{
    struct endpoint_slice *slice = object;

    name_unref(slice->service);
    for (uint32_t i = 0; i < slice->n_subsets; i++) {
        struct endpoint_subset *subset = &slice->subsets[i];

        ports_unref(subset->ports);
        for (uint32_t j = 0; j < subset->n; j++) {
            g_free(subset->endpoints[j].addresses.items);
            g_free(subset->endpoints[j].hostname);
            name_unref(subset->endpoints[j].target);
        }
        g_free(subset->endpoints);
    }
    g_free(slice->subsets);
}

void pod_spec_clear(struct pod_spec *spec)
{
    labels_unref(spec->labels);
    name_unref(spec->hostname);
    name_unref(spec->subdomain);
    ports_unref(spec->ports);
    g_free(spec->stated.items);
}

static void pod_clear(void *object)
{
    struct pod *pod = object;

    pod_spec_unref(pod->spec);
    name_unref(pod->owner.name);
    if (pod->addresses.items != &pod->only)
        g_free(pod->addresses.items);
}

static void autoscaler_clear(void *object)
{
    struct autoscaler *autoscaler = object;

    name_unref(autoscaler->target.name);
}

static void workload_clear(void *object)
{
    struct workload *workload = object;

    pod_spec_clear(&workload->template);
    name_unref(workload->owner.name);
    labels_unref(workload->labels);
    labels_unref(workload->selector);
    for (uint32_t i = 0; i < workload->n_requirements; i++) {
        struct requirement *requirement = &workload->requirements[i];

        name_unref(requirement->key);
        for (const char **value = requirement->values; value && *value; value++)
            name_unref(*value);
        g_free(requirement->values);
    }
    g_free(workload->requirements);
    name_unref(workload->service_name);
}

static const struct {
    size_t size;
    void (*clear)(void *object);
} parts[OBJECT_KINDS] = {[OBJECT_MENTION] = {sizeof(struct object), object_clear},
#define KIND(symbol, fields, structure, ...)                                                       \
    [OBJECT_##symbol] = {sizeof(struct structure), structure##_clear},
                         OBJECT_KINDS_EACH(KIND)
#undef KIND
};

struct object *object_new(enum object_kind kind, struct source *source, const char *ns,
                          const char *name)
{
    /* The name follows the object: one allocation for both matters with 150,000 pods. */
    size_t size = parts[kind].size, name_size = strlen(name) + 1;
    struct object *object = g_malloc0(size + name_size);

    object->kind = (uint8_t)kind;
    object->source = source_ref(source);
    object->ns = source_namespace(source, ns);
    object->name = memcpy((char *)object + size, name, name_size);
    return object;
}

void object_free(struct object *object)
{
    if (!object)
        return;
    object_discharge(object);
    parts[object->kind].clear(object);
    name_unref(object->ns);
    source_unref(object->source);
    g_free(object);
}

void object_move(struct object *object, struct source *source)
{
    const char *before = object->ns;
    g_autofree char *ns = g_strndup(before, strcspn(before, "@"));

    object->ns = source_namespace(source, ns);
    name_unref(before);
    object_move_charge(object, source);
    source_ref(source);
    source_unref(object->source);
    object->source = source;
}

static bool requirement_matches(const struct requirement *requirement, const struct labels *labels)
{
    const char *value = labels_get(labels, requirement->key);
    bool listed = false;

    /* both sides are interned */
    for (const char **wanted = requirement->values; value && wanted && *wanted; wanted++)
        listed |= *wanted == value;
    switch (requirement->operator) {
    case REQUIREMENT_IN: return listed;
    case REQUIREMENT_NOT_IN: return !listed;
    case REQUIREMENT_EXISTS: return value != NULL;
    case REQUIREMENT_DOES_NOT_EXIST: return value == NULL;
    }
    return false;
}

bool workload_selects(const struct workload *workload, const struct labels *labels)
{
    bool by_labels = workload->selector && workload->selector->n > 0;

    if (!by_labels && workload->n_requirements == 0)
        return false;
    if (by_labels && !labels_match(workload->selector, labels))
        return false;
    for (uint32_t i = 0; i < workload->n_requirements; i++) {
        if (!requirement_matches(&workload->requirements[i], labels))
            return false;
    }
    return true;
}

bool dns_label_is_valid(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return length >= 1 && length <= 63 && text[length] == '\0' && text[0] != '-' &&
           text[length - 1] != '-';
}
