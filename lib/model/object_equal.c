/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Equality of objects. Apart from object.c because this is the one place that must know every
 * field: a field added to object.h must be added here, or its changes go unnoticed.
 */
#include "object.h"

#include <string.h>

static bool addresses_equal(const struct addresses *a, const struct addresses *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->items, b->items, a->n * sizeof *a->items) == 0);
}

static bool owners_equal(const struct owner *a, const struct owner *b)
{
    return a->kind == b->kind && a->name == b->name;
}

bool pod_specs_equal(const struct pod_spec *a, const struct pod_spec *b)
{
    return a->labels == b->labels && a->hostname == b->hostname && a->subdomain == b->subdomain &&
           a->ports == b->ports && addresses_equal(&a->stated, &b->stated) &&
           a->host_network == b->host_network;
}

static bool service_fields_equal(const void *x, const void *y)
{
    const struct service *a = x, *b = y;

    return a->type == b->type && a->headless == b->headless &&
           a->publish_not_ready == b->publish_not_ready && a->affinity == b->affinity &&
           a->family_policy == b->family_policy && a->n_families == b->n_families &&
           a->families[0] == b->families[0] && a->families[1] == b->families[1] &&
           a->selector == b->selector && a->labels == b->labels &&
           addresses_equal(&a->cluster_ips, &b->cluster_ips) &&
           addresses_equal(&a->stated, &b->stated) && a->ports == b->ports &&
           g_strcmp0(a->external_name, b->external_name) == 0;
}

static bool subsets_equal(const struct endpoint_subset *a, const struct endpoint_subset *b)
{
    if (a->n != b->n || a->ports != b->ports)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        const struct endpoint *x = &a->endpoints[i], *y = &b->endpoints[i];

        if (x->ready != y->ready || x->terminating != y->terminating || x->target != y->target ||
            x->is_pod != y->is_pod || g_strcmp0(x->hostname, y->hostname) != 0 ||
            !addresses_equal(&x->addresses, &y->addresses))
            return false;
    }
    return true;
}

static bool endpoint_slice_fields_equal(const void *x, const void *y)
{
    const struct endpoint_slice *a = x, *b = y;

    if (a->service != b->service || a->not_mirrored != b->not_mirrored ||
        a->n_subsets != b->n_subsets)
        return false;
    for (uint32_t i = 0; i < a->n_subsets; i++) {
        if (!subsets_equal(&a->subsets[i], &b->subsets[i]))
            return false;
    }
    return true;
}

static bool pod_fields_equal(const void *x, const void *y)
{
    const struct pod *a = x, *b = y;

    return a->spec == b->spec && owners_equal(&a->owner, &b->owner) &&
           addresses_equal(&a->addresses, &b->addresses) && a->has_status == b->has_status &&
           a->ready == b->ready && a->deleting == b->deleting && a->phase == b->phase;
}

static bool requirements_equal(const struct requirement *a, const struct requirement *b)
{
    const char **x = a->values, **y = b->values;

    if (a->key != b->key || (a->operator) != (b->operator) || !x != !y)
        return false;
    while (x && *x && *x == *y) {
        x++;
        y++;
    }
    return !x || *x == *y;
}

static bool workload_fields_equal(const void *x, const void *y)
{
    const struct workload *a = x, *b = y;

    if (!pod_specs_equal(&a->template, &b->template) || !owners_equal(&a->owner, &b->owner) ||
        a->labels != b->labels || a->selector != b->selector ||
        a->n_requirements != b->n_requirements || a->replicas != b->replicas ||
        a->unsaid != b->unsaid || a->idle != b->idle || a->ordinal != b->ordinal ||
        a->service_name != b->service_name || a->indexed != b->indexed)
        return false;
    for (uint32_t i = 0; i < a->n_requirements; i++) {
        if (!requirements_equal(&a->requirements[i], &b->requirements[i]))
            return false;
    }
    return true;
}

static bool autoscaler_fields_equal(const void *x, const void *y)
{
    const struct autoscaler *a = x, *b = y;

    return owners_equal(&a->target, &b->target) && a->replicas == b->replicas;
}

static bool object_fields_equal(const void *x, const void *y)
{
    (void)x;
    (void)y;
    return true; /* there is nothing but what every object has */
}

static bool (*const fields_equal[OBJECT_KINDS])(const void *x, const void *y) = {
    [OBJECT_MENTION] = object_fields_equal,
#define KIND(symbol, fields, structure, ...) [OBJECT_##symbol] = structure##_fields_equal,
    OBJECT_KINDS_EACH(KIND)
#undef KIND
};

bool object_equal(const struct object *a, const struct object *b)
{
    if (a->kind != b->kind || a->has_uid != b->has_uid || a->broken != b->broken ||
        a->refused != b->refused || a->ns != b->ns || strcmp(a->name, b->name) != 0)
        return false;
    return fields_equal[a->kind](a, b);
}
