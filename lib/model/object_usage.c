/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an object costs: approximately the bytes kept for it, including table entries. Shared data
 * is counted for each object, because any may become the last owner.
 */
#include <string.h>

#include "object.h"

#define FIXED 384u /* bytes: the object itself, entries of tables, its record, allocations */

static size_t text_bytes(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static void add_labels(struct usage *usage, const struct labels *labels)
{
    for (uint32_t i = 0; labels && i < labels->n; i++)
        usage->bytes += sizeof *labels->pairs + text_bytes(labels->pairs[i].key) +
                        text_bytes(labels->pairs[i].value);
    usage->labels += labels ? labels->n : 0;
}

static void add_ports(struct usage *usage, const struct ports *ports)
{
    usage->bytes += ports ? ports->n * sizeof *ports->items : 0;
}

static void add_addresses(struct usage *usage, const struct addresses *addresses)
{
    usage->bytes += addresses->n * sizeof *addresses->items;
}

static void service_measure(struct usage *usage, const void *object)
{
    const struct service *service = object;

    add_labels(usage, service->selector);
    add_labels(usage, service->labels);
    add_addresses(usage, &service->cluster_ips);
    add_addresses(usage, &service->stated);
    add_ports(usage, service->ports);
    usage->bytes += text_bytes(service->external_name);
}

static void endpoint_slice_measure(struct usage *usage, const void *object)
{
    const struct endpoint_slice *slice = object;

    for (uint32_t i = 0; i < slice->n_subsets; i++) {
        const struct endpoint_subset *subset = &slice->subsets[i];

        usage->bytes += sizeof *subset;
        add_ports(usage, subset->ports);
        for (uint32_t j = 0; j < subset->n; j++) {
            usage->bytes += sizeof *subset->endpoints + text_bytes(subset->endpoints[j].hostname) +
                            text_bytes(subset->endpoints[j].target);
            add_addresses(usage, &subset->endpoints[j].addresses);
        }
    }
}

static void add_pod_spec(struct usage *usage, const struct pod_spec *spec)
{
    add_labels(usage, spec->labels);
    add_ports(usage, spec->ports);
    add_addresses(usage, &spec->stated);
}

static void pod_measure(struct usage *usage, const void *object)
{
    const struct pod *pod = object;

    add_pod_spec(usage, pod->spec);
    add_addresses(usage, &pod->addresses);
}

static void workload_measure(struct usage *usage, const void *object)
{
    const struct workload *workload = object;

    add_pod_spec(usage, &workload->template);
    add_labels(usage, workload->selector);
    add_labels(usage, workload->labels);
    for (uint32_t i = 0; i < workload->n_requirements; i++) {
        const struct requirement *requirement = &workload->requirements[i];

        usage->bytes += sizeof *requirement + text_bytes(requirement->key);
        for (const char **value = requirement->values; value && *value; value++)
            usage->bytes += sizeof *value + text_bytes(*value);
    }
}

static void object_measure(struct usage *usage, const void *object)
{
    (void)usage;
    (void)object;
}

static void autoscaler_measure(struct usage *usage, const void *object)
{
    const struct autoscaler *autoscaler = object;

    usage->bytes += text_bytes(autoscaler->target.name);
}

static void (*const measure_fields[OBJECT_KINDS])(struct usage *usage, const void *object) = {
    [OBJECT_MENTION] = object_measure,
#define KIND(symbol, fields, structure, ...) [OBJECT_##symbol] = structure##_measure,
    OBJECT_KINDS_EACH(KIND)
#undef KIND
};

static struct usage measure(const struct object *object)
{
    struct usage usage = {.objects = 1, .bytes = FIXED + text_bytes(object->name)};

    measure_fields[object->kind](&usage, object);
    return usage;
}

struct usage object_charge(struct object *object, uint32_t besides)
{
    struct usage usage = measure(object);

    usage.bytes += besides;
    usage.bytes = usage.bytes < UINT32_MAX ? usage.bytes : UINT32_MAX;
    usage.labels = usage.labels < UINT32_MAX ? usage.labels : UINT32_MAX;
    object->bytes = (uint32_t)usage.bytes;
    object->n_labels = (uint32_t)usage.labels;
    usage_add(&object->source->used, &usage);
    if (object->source->account)
        usage_add(&object->source->account->used, &usage);
    return usage;
}

void object_discharge(struct object *object)
{
    const struct usage usage = {1, object->n_labels, object->bytes};

    if (object->bytes == 0) /* it was never charged */
        return;
    usage_subtract(&object->source->used, &usage);
    if (object->source->account)
        usage_subtract(&object->source->account->used, &usage);
    object->bytes = object->n_labels = 0;
}

void object_move_charge(const struct object *object, struct source *source)
{
    const struct usage usage = {object->bytes > 0, object->n_labels, object->bytes};

    usage_subtract(&object->source->used, &usage);
    usage_add(&source->used, &usage);
}
