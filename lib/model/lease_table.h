/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All leases, by key and by address.
 */
#pragma once

#include "leases.h"

struct lease_table {
    GHashTable *by_key;     /* set of struct lease, the first of each key, use and family */
    GHashTable *by_address; /* set of struct lease; owns them */
};

void lease_table_init(struct lease_table *table);
void lease_table_clear(struct lease_table *table);

/* The first lease of a key, which leads to its others, freed or not; NULL: none. */
struct lease *lease_table_find(const struct lease_table *table, enum lease_use use, int family,
                               const char *key);
struct lease *lease_table_at(const struct lease_table *table, const struct address *address);

/* A new lease, held. The address must have none. */
struct lease *lease_table_add(struct lease_table *table, enum lease_use use,
                              const struct address *address, const char *key);

/* Removes and frees it. */
void lease_table_remove(struct lease_table *table, struct lease *lease);
