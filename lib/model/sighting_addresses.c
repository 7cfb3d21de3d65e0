/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sightings with the same address: mostly one, so that they are a list that runs through them and
 * needs no memory of its own.
 */
#include "sighting_addresses.h"

#include "lib/util/hash.h"

GHashTable *sighting_addresses_new(void)
{
    return g_hash_table_new(hash_address, equal_address);
}

struct sighting *sighting_addresses_first(GHashTable *addresses, const struct address *address)
{
    return g_hash_table_lookup(addresses, address);
}

/* Where it links to the next one with this address, which it has. */
static struct sighting **link_at(struct sighting *sighting, const struct address *address)
{
    unsigned i = 0;
    while (i + 1 < sighting->n_addresses && address_compare(&sighting->addresses[i], address) != 0)
        i++;
    return &sighting->next[i];
}

struct sighting *sighting_addresses_next(const struct sighting *sighting,
                                         const struct address *address)
{
    return *link_at((struct sighting *)(uintptr_t)sighting, address);
}

/* The key of a list is in its first element. */
static void set_first(GHashTable *addresses, const struct address *address, struct sighting *first)
{
    if (first)
        g_hash_table_replace(addresses, &first->addresses[link_at(first, address) - first->next],
                             first);
    else
        g_hash_table_remove(addresses, address);
}

void sighting_addresses_join(GHashTable *addresses, struct sighting *sighting)
{
    for (unsigned i = 0; i < sighting->n_addresses; i++) {
        const struct address *address = &sighting->addresses[i];
        sighting->next[i] = sighting_addresses_first(addresses, address);
        set_first(addresses, address, sighting);
    }
}

void sighting_addresses_leave(GHashTable *addresses, struct sighting *sighting)
{
    for (unsigned i = 0; i < sighting->n_addresses; i++) {
        const struct address *address = &sighting->addresses[i];
        struct sighting *before = sighting_addresses_first(addresses, address);
        if (before == sighting) {
            set_first(addresses, address, sighting->next[i]);
        } else {
            while (sighting_addresses_next(before, address) != sighting)
                before = sighting_addresses_next(before, address);
            *link_at(before, address) = sighting->next[i];
        }
    }
}

const struct sighting *sighting_addresses_owner(GHashTable *addresses,
                                                const struct sighting *sighting,
                                                const struct address **addressp)
{
    for (unsigned i = 0; i < sighting->n_addresses; i++) {
        const struct address *address = *addressp = &sighting->addresses[i];
        const struct sighting *other = sighting_addresses_first(addresses, address);
        for (; other; other = sighting_addresses_next(other, address)) {
            bool is_same = other->name == sighting->name && other->ns == sighting->ns;
            bool is_later = !sighting->attested || other->since > sighting->since;
            if (!is_same && other->attested && is_later)
                return other;
        }
    }
    return NULL;
}

/* "pod shop/web" */
static char *describe_pod(const struct sighting *sighting)
{
    return g_strdup_printf("pod %s%s%s", sighting->ns ? sighting->ns : "", sighting->ns ? "/" : "",
                           sighting->name);
}

char *describe_owner(GHashTable *addresses, const struct sighting *sighting)
{
    const struct address *address = NULL;
    const struct sighting *owner = sighting_addresses_owner(addresses, sighting, &address);
    char text[ADDRESS_TEXT_MAX];
    if (!owner)
        return NULL;
    address_format(address, text);
    g_autofree char *pod = describe_pod(sighting), *other = describe_pod(owner);
    return g_strdup_printf("the hosts file of %s has %s, the address of %s", pod, text, other);
}
