/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each freed lease has its own link, so that reusing one leaves nothing behind, and records its
 * queue: the ranges may have changed by the time it is removed.
 */
#include "lease_pool.h"

#include "lib/util/hash.h"

void lease_pool_init(struct lease_pool *pool)
{
    pool->waiters = g_hash_table_new_full(hash_text, g_str_equal, g_free, NULL);
}

void lease_pool_clear(struct lease_pool *pool)
{
    g_hash_table_unref(pool->waiters);
}

static GQueue *queue_of(struct lease_pool *pool, const struct lease *lease)
{
    return lease->outside ? &pool->outside : &pool->inside;
}

void lease_pool_add(struct lease_pool *pool, struct lease *lease, const struct lease_ranges *ranges)
{
    lease->outside = !lease_ranges_contain(ranges, &lease->address);
    lease->link.data = lease;
    g_queue_push_tail_link(queue_of(pool, lease), &lease->link);
    if (!lease->outside)
        pool->state = LEASE_POOL_FREED;
}

void lease_pool_remove(struct lease_pool *pool, struct lease *lease)
{
    g_queue_unlink(queue_of(pool, lease), &lease->link);
    lease->freed = 0;
}

int lease_pool_compare(gconstpointer a, gconstpointer b)
{
    const struct lease *x = *(struct lease *const *)a, *y = *(struct lease *const *)b;

    if (x->freed != y->freed)
        return x->freed < y->freed ? -1 : 1;
    return address_compare(&x->address, &y->address);
}

static void take_all(GQueue *queue, GPtrArray *all)
{
    for (GList *link; (link = g_queue_pop_head_link(queue));)
        g_ptr_array_add(all, link->data);
}

void lease_pool_sort(struct lease_pool *pool, const struct lease_ranges *ranges)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    take_all(&pool->inside, all);
    take_all(&pool->outside, all);
    g_ptr_array_sort(all, lease_pool_compare);
    for (guint i = 0; i < all->len; i++)
        lease_pool_add(pool, all->pdata[i], ranges);
}

struct lease *lease_pool_surplus(const struct lease_pool *pool)
{
    bool is_inside = pool->inside.length > LEASES_REMEMBERED_MAX;
    const GQueue *queue = is_inside ? &pool->inside : &pool->outside;

    return queue->length > LEASES_REMEMBERED_MAX ? queue->head->data : NULL;
}

void lease_pool_take_waiters(struct lease_pool *pool, GPtrArray *keys)
{
    GHashTableIter iter;
    gpointer key;

    if (pool->state != LEASE_POOL_FREED)
        return;
    pool->state = LEASE_POOL_UNTRIED;
    g_hash_table_iter_init(&iter, pool->waiters);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        g_ptr_array_add(keys, key);
        g_hash_table_iter_steal(&iter);
    }
}
