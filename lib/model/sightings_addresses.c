/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sightings with the same address: mostly one, so that they are a list that runs through them and
 * needs no memory of its own.
 */
#include "lib/util/hash.h"
#include "sightings_private.h"

static guint address_hash(gconstpointer address)
{
    return hash_address(address);
}

static gboolean address_equal(gconstpointer a, gconstpointer b)
{
    return address_compare(a, b) == 0;
}

GHashTable *sightings_addresses_new(void)
{
    return g_hash_table_new(address_hash, address_equal);
}

struct sighting *sightings_at(const struct sightings *sightings, const struct address *address)
{
    return g_hash_table_lookup(sightings->addresses, address);
}

/* Where it links to the next one with this address, which it has. */
static struct sighting **link_at(struct sighting *sighting, const struct address *address)
{
    unsigned i = 0;
    while (i + 1 < sighting->n_addresses && address_compare(&sighting->addresses[i], address) != 0)
        i++;
    return &sighting->next[i];
}

struct sighting *sighting_next(const struct sighting *sighting, const struct address *address)
{
    return *link_at((struct sighting *)(uintptr_t)sighting, address);
}

/* An address may no longer be that of others which have it. */
static void mark_others(struct sightings *sightings, const struct address *address,
                        struct sighting *other)
{
    for (; other; other = sighting_next(other, address))
        sightings_mark(sightings, other);
}

/* The key of a list is in its first element. */
static void set_first(struct sightings *sightings, const struct address *address,
                      struct sighting *first)
{
    if (first)
        g_hash_table_replace(sightings->addresses,
                             &first->addresses[link_at(first, address) - first->next], first);
    else
        g_hash_table_remove(sightings->addresses, address);
}

void sightings_join_addresses(struct sightings *sightings, struct sighting *sighting)
{
    for (unsigned i = 0; i < sighting->n_addresses; i++) {
        const struct address *address = &sighting->addresses[i];
        sighting->next[i] = sightings_at(sightings, address);
        mark_others(sightings, address, sighting->next[i]);
        set_first(sightings, address, sighting);
    }
}

void sightings_leave_addresses(struct sightings *sightings, struct sighting *sighting)
{
    for (unsigned i = 0; i < sighting->n_addresses; i++) {
        const struct address *address = &sighting->addresses[i];
        struct sighting *before = sightings_at(sightings, address);
        if (before == sighting) {
            set_first(sightings, address, sighting->next[i]);
        } else {
            while (sighting_next(before, address) != sighting)
                before = sighting_next(before, address);
            *link_at(before, address) = sighting->next[i];
        }
        mark_others(sightings, address, sightings_at(sightings, address));
    }
}
