/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys waiting for an address. Knows no address: what is free, and for which key, is up to the
 * leases.
 */
#include "lease_waits.h"

#include "lib/util/hash.h"

static guint text_hash(gconstpointer text)
{
    return hash_text(text);
}

void lease_waits_init(struct lease_waits *waits)
{
    *waits = (struct lease_waits){0};
    for (unsigned use = 0; use < LEASE_USES; use++)
        for (unsigned inet6 = 0; inet6 < 2; inet6++)
            waits->of[use][inet6].refused =
                g_hash_table_new_full(text_hash, g_str_equal, g_free, NULL);
}

void lease_waits_clear(struct lease_waits *waits)
{
    for (unsigned use = 0; use < LEASE_USES; use++)
        for (unsigned inet6 = 0; inet6 < 2; inet6++)
            g_clear_pointer(&waits->of[use][inet6].refused, g_hash_table_unref);
}

void lease_waits_fill(struct lease_waits *waits, enum lease_use use, int family)
{
    waits->of[use][family == 6].full = true;
    waits->of[use][family == 6].relieved = false;
}

void lease_waits_relieve(struct lease_waits *waits, enum lease_use use, int family)
{
    waits->of[use][family == 6].full = false;
    waits->of[use][family == 6].relieved = true;
}

bool lease_waits_is_full(const struct lease_waits *waits, enum lease_use use, int family)
{
    return waits->of[use][family == 6].full;
}

void lease_waits_add(struct lease_waits *waits, enum lease_use use, int family, const char *key)
{
    g_hash_table_add(waits->of[use][family == 6].refused, g_strdup(key));
}

void lease_waits_remove(struct lease_waits *waits, enum lease_use use, int family, const char *key)
{
    g_hash_table_remove(waits->of[use][family == 6].refused, key);
}

uint64_t lease_waits_count(const struct lease_waits *waits, enum lease_use use)
{
    GHashTable *inet = waits->of[use][0].refused, *inet6 = waits->of[use][1].refused;
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

GPtrArray *lease_waits_take(struct lease_waits *waits)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    for (unsigned use = 0; use < LEASE_USES; use++) {
        for (unsigned inet6 = 0; inet6 < 2; inet6++) {
            if (!waits->of[use][inet6].relieved)
                continue;
            waits->of[use][inet6].relieved = false;
            take(waits->of[use][inet6].refused, keys);
        }
    }
    return keys;
}
