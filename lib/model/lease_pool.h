/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pool of one use and family: the freed leases, and the keys that asked for an address in vain.
 */
#pragma once

#include "lease_ranges.h"
#include "leases.h"

struct lease_pool {
    GQueue inside, outside; /* freed leases, oldest first: in the ranges, or not any more */
    GHashTable *waiters;    /* set of char *: keys that were refused */
    enum {
        LEASE_POOL_UNTRIED,
        LEASE_POOL_EXHAUSTED, /* nothing was left at the last attempt */
        LEASE_POOL_FREED,     /* something has become free since */
    } state;
};

void lease_pool_init(struct lease_pool *pool);
void lease_pool_clear(struct lease_pool *pool);

/* Adds a lease as the last one freed. It must not be in the pool. `ranges` are those of its use. */
void lease_pool_add(struct lease_pool *pool, struct lease *lease,
                    const struct lease_ranges *ranges);
/* Removes it: it is held again, or about to be forgotten. */
void lease_pool_remove(struct lease_pool *pool, struct lease *lease);

/* The ranges have changed. */
void lease_pool_sort(struct lease_pool *pool, const struct lease_ranges *ranges);

/* A lease to forget, because there are more than LEASES_REMEMBERED_MAX; or NULL. */
struct lease *lease_pool_surplus(const struct lease_pool *pool);

/* If something has become free: moves the waiters to `keys`, which owns them. */
void lease_pool_take_waiters(struct lease_pool *pool, GPtrArray *keys);

/* Compares two struct lease * by the order in which they were freed, or else by address. */
int lease_pool_compare(gconstpointer a, gconstpointer b);
