/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sightings by their addresses.
 */
#pragma once

#include <glib.h>

#include "sighting.h"

/* struct address -> the first sighting with it, which leads to the others. Free with
 * g_hash_table_unref. */
GHashTable *sighting_addresses_new(void);

/* The first sighting with this address, and the next one; NULL: none. */
struct sighting *sighting_addresses_first(GHashTable *addresses, const struct address *address);
struct sighting *sighting_addresses_next(const struct sighting *sighting,
                                         const struct address *address);

/* A sighting comes, as the first one of each of its addresses, or goes. */
void sighting_addresses_join(GHashTable *addresses, struct sighting *sighting);
void sighting_addresses_leave(GHashTable *addresses, struct sighting *sighting);

/* The pod that has one of a sighting's addresses instead, and which one; NULL: none. Of two that
 * are attested the later one has it. What a container may have written takes nothing from other
 * pods. */
const struct sighting *sighting_addresses_owner(GHashTable *addresses,
                                                const struct sighting *sighting,
                                                const struct address **addressp);

/* "the hosts file of pod shop/a has 10.0.0.1, the address of pod shop/b"; NULL: it has no such
 * address any more. */
char *describe_owner(GHashTable *addresses, const struct sighting *sighting);
