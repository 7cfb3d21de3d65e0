/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two tables over the same leases. A key with several leases of one use and family is a list, whose
 * first lease is in the table.
 */
#include "lease_table.h"

#include <string.h>

#include "lib/util/hash.h"

static guint lease_key_hash(gconstpointer data)
{
    const struct lease *lease = data;
    return hash_text(lease->key) ^
           (guint)(lease->use * 2 + (address_is_inet(&lease->address) ? 1 : 0));
}

static gboolean lease_key_equal(gconstpointer a, gconstpointer b)
{
    const struct lease *x = a, *y = b;
    return x->use == y->use && address_is_inet(&x->address) == address_is_inet(&y->address) &&
           strcmp(x->key, y->key) == 0;
}

void lease_table_init(struct lease_table *table)
{
    table->by_key = g_hash_table_new(lease_key_hash, lease_key_equal);
    table->by_address = g_hash_table_new_full(hash_address, equal_address, g_free, NULL);
}

void lease_table_clear(struct lease_table *table)
{
    g_hash_table_unref(table->by_key);
    g_hash_table_unref(table->by_address);
}

struct lease *lease_table_find(const struct lease_table *table, enum lease_use use, int family,
                               const char *key)
{
    struct lease probe = {.use = (uint8_t)use, .key = key};
    if (family == 4)
        memcpy(probe.address.bytes, inet_prefix, sizeof inet_prefix);
    return g_hash_table_lookup(table->by_key, &probe);
}

struct lease *lease_table_at(const struct lease_table *table, const struct address *address)
{
    return g_hash_table_lookup(table->by_address, address);
}

struct lease *lease_table_add(struct lease_table *table, enum lease_use use,
                              const struct address *address, const char *key)
{
    size_t size = strlen(key) + 1;
    struct lease *lease = g_malloc0(sizeof *lease + size);
    lease->address = *address;
    lease->use = (uint8_t)use;
    lease->key = memcpy(lease + 1, key, size);
    g_hash_table_add(table->by_address, lease);
    struct lease *first = g_hash_table_lookup(table->by_key, lease);
    if (!first) {
        g_hash_table_add(table->by_key, lease);
        return lease;
    }
    lease->next = first->next;
    first->next = lease;
    return lease;
}

static void remove_key(struct lease_table *table, struct lease *lease)
{
    struct lease *first = g_hash_table_lookup(table->by_key, lease);
    if (first == lease) {
        g_hash_table_remove(table->by_key, lease);
        if (lease->next)
            g_hash_table_add(table->by_key, lease->next);
        return;
    }
    while (first->next != lease)
        first = first->next;
    first->next = lease->next;
}

void lease_table_remove(struct lease_table *table, struct lease *lease)
{
    remove_key(table, lease);
    g_hash_table_remove(table->by_address, lease);
}
