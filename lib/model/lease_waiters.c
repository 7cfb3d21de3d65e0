/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys waiting for an address. Knows no address: what is free, and for which key, is up to the
 * leases.
 */
#include "lease_waiters.h"

#include "lib/util/hash.h"

void lease_waiters_init(struct lease_waiters *waits)
{
    *waits = (struct lease_waiters){0};
    for (unsigned use = 0; use < LEASE_USES; use++)
        for (unsigned inet6 = 0; inet6 < 2; inet6++)
            waits->of[use][inet6].keys = g_hash_table_new_full(hash_key, g_str_equal, g_free, NULL);
}

void lease_waiters_clear(struct lease_waiters *waits)
{
    for (unsigned use = 0; use < LEASE_USES; use++)
        for (unsigned inet6 = 0; inet6 < 2; inet6++)
            g_clear_pointer(&waits->of[use][inet6].keys, g_hash_table_unref);
}

void lease_waiters_set_exhausted(struct lease_waiters *waits, enum lease_use use, int family)
{
    waits->of[use][family == 6].exhausted = true;
    waits->of[use][family == 6].freed = false;
}

void lease_waiters_note_freed(struct lease_waiters *waits, enum lease_use use, int family)
{
    waits->of[use][family == 6].exhausted = false;
    waits->of[use][family == 6].freed = true;
}

bool lease_waiters_is_exhausted(const struct lease_waiters *waits, enum lease_use use, int family)
{
    return waits->of[use][family == 6].exhausted;
}

void lease_waiters_add(struct lease_waiters *waits, enum lease_use use, int family, const char *key)
{
    g_hash_table_add(waits->of[use][family == 6].keys, g_strdup(key));
}

void lease_waiters_remove(struct lease_waiters *waits, enum lease_use use, int family,
                          const char *key)
{
    g_hash_table_remove(waits->of[use][family == 6].keys, key);
}

uint64_t lease_waiters_count(const struct lease_waiters *waits, enum lease_use use)
{
    GHashTable *inet = waits->of[use][0].keys, *inet6 = waits->of[use][1].keys;
    uint64_t both = 0;
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, inet6);
    while (g_hash_table_size(inet) > 0 && g_hash_table_iter_next(&iter, &key, NULL))
        both += g_hash_table_contains(inet, key) ? 1 : 0;
    return (uint64_t)g_hash_table_size(inet) + g_hash_table_size(inet6) - both;
}

static void take(GHashTable *refused, GPtrArray *keys)
{
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, refused);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        g_ptr_array_add(keys, key);
        g_hash_table_iter_steal(&iter);
    }
}

GPtrArray *lease_waiters_take(struct lease_waiters *waits)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    for (unsigned use = 0; use < LEASE_USES; use++) {
        for (unsigned inet6 = 0; inet6 < 2; inet6++) {
            if (!waits->of[use][inet6].freed)
                continue;
            waits->of[use][inet6].freed = false;
            take(waits->of[use][inet6].keys, keys);
        }
    }
    return keys;
}
