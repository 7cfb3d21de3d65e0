/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sightings as values: created, compared, freed. sightings.c matches them with objects.
 */
#include "sighting.h"

#include <glib.h>
#include <string.h>

#include "labels.h"

const char *runtime_name(enum runtime runtime)
{
    switch (runtime) {
    case RUNTIME_PODMAN: return "podman";
    case RUNTIME_CNI: return "cni";
    case RUNTIME_KUBELET: return "kubelet";
    case RUNTIMES: break;
    }
    return "runtime";
}

struct sighting *sighting_new(enum runtime runtime, const char *ns, const char *name,
                              const char *network)
{
    struct sighting *sighting = g_new0(struct sighting, 1);
    sighting->runtime = (uint8_t)runtime;
    sighting->attested = runtime != RUNTIME_KUBELET;
    sighting->ns = name_intern(ns);
    sighting->name = name_intern(name);
    sighting->network = name_intern(network);
    return sighting;
}

void sighting_free(struct sighting *sighting)
{
    if (!sighting)
        return;
    name_unref(sighting->ns);
    name_unref(sighting->name);
    name_unref(sighting->network);
    g_free(sighting);
}

void sighting_add(struct sighting *sighting, const struct address *address)
{
    if (address_is_special(address))
        return;
    for (unsigned i = 0; i < sighting->n_addresses; i++)
        if (address_family(&sighting->addresses[i]) == address_family(address))
            return;
    if (sighting->n_addresses < SIGHTING_ADDRESSES_MAX)
        sighting->addresses[sighting->n_addresses++] = *address;
}

static int compare_addresses(const struct sighting *a, const struct sighting *b)
{
    if (a->n_addresses != b->n_addresses)
        return a->n_addresses > b->n_addresses ? -1 : 1;
    for (unsigned i = 0; i < a->n_addresses; i++) {
        int order = address_compare(&a->addresses[i], &b->addresses[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

static int compare_pointers(const void *a, const void *b)
{
    return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

int sighting_order(const struct sighting *a, const struct sighting *b)
{
    int order = compare_pointers(a->name, b->name);
    if (order == 0)
        order = compare_pointers(a->ns, b->ns);
    if (order == 0)
        order = compare_pointers(a->network, b->network);
    if (order == 0)
        order = (int)a->runtime - (int)b->runtime;
    if (order == 0)
        order = (int)a->secondary - (int)b->secondary;
    return order != 0 ? order : compare_addresses(a, b);
}

int sighting_compare(const struct sighting *a, const struct sighting *b)
{
    if (a->runtime != b->runtime)
        return a->runtime < b->runtime ? -1 : 1;
    if (a->secondary != b->secondary)
        return a->secondary ? 1 : -1;
    int order = g_strcmp0(a->network, b->network);
    if (order != 0)
        return order;
    if (a->since != b->since)
        return a->since > b->since ? -1 : 1;
    return compare_addresses(a, b);
}
