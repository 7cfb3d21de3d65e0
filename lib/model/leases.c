/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Address leases. No expiry and no priorities: an existing object keeps its address; a removed one
 * may lose it only when no fresh one is left, or when too many are remembered.
 */
#include "leases.h"

#include <string.h>

#include "lease_pool.h"
#include "lease_ranges.h"
#include "lease_table.h"

struct leases {
    struct leases_callbacks callbacks;
    struct lease_ranges *ranges[LEASE_USES];
    struct lease_table table;
    struct lease_pool pools[LEASE_USES][2]; /* of family 4, 6 */
    uint64_t n_freed;                       /* ever: gives the order */
};

static struct lease_pool *pool_of(struct leases *leases, enum lease_use use, int family)
{
    return &leases->pools[use][family == 6];
}

static struct lease_pool *pool_of_lease(struct leases *leases, const struct lease *lease)
{
    return pool_of(leases, (enum lease_use)lease->use, address_family(&lease->address));
}

static void tell(const struct leases *leases, enum lease_event event, const struct lease *lease)
{
    leases->callbacks.changed(leases->callbacks.userdata, event, lease);
}

static bool is_stated(const struct leases *leases, const struct address *address)
{
    return leases->callbacks.stated(leases->callbacks.userdata, address);
}

struct leases *leases_new(const struct leases_callbacks *callbacks)
{
    struct leases *leases = g_new0(struct leases, 1);
    leases->callbacks = *callbacks;
    lease_table_init(&leases->table);
    for (unsigned use = 0; use < LEASE_USES; use++) {
        leases->ranges[use] = lease_ranges_new(NULL);
        lease_pool_init(&leases->pools[use][0]);
        lease_pool_init(&leases->pools[use][1]);
    }
    return leases;
}

struct leases *leases_free(struct leases *leases)
{
    if (!leases)
        return NULL;
    lease_table_clear(&leases->table);
    for (unsigned use = 0; use < LEASE_USES; use++) {
        g_free(leases->ranges[use]);
        lease_pool_clear(&leases->pools[use][0]);
        lease_pool_clear(&leases->pools[use][1]);
    }
    g_free(leases);
    return NULL;
}

void leases_set_ranges(struct leases *leases, enum lease_use use, const GArray *ranges)
{
    g_free(leases->ranges[use]);
    leases->ranges[use] = lease_ranges_new(ranges);
    for (int family = 4; family <= 6; family += 2) {
        struct lease_pool *pool = pool_of(leases, use, family);
        lease_pool_sort(pool, leases->ranges[use]);
        if (lease_ranges_have_family(leases->ranges[use], family))
            pool->state = LEASE_POOL_FREED;
    }
}

void leases_note_freed(struct leases *leases, const struct address *address)
{
    for (unsigned use = 0; use < LEASE_USES; use++)
        if (lease_ranges_contain(leases->ranges[use], address))
            pool_of(leases, use, address_family(address))->state = LEASE_POOL_FREED;
}

int leases_first_family(const struct leases *leases, enum lease_use use)
{
    return lease_ranges_first_family(leases->ranges[use]);
}

/* The lease that a key holds; NULL: none. */
static struct lease *find_held(const struct leases *leases, enum lease_use use, int family,
                               const char *key)
{
    struct lease *lease = lease_table_find(&leases->table, use, family, key);
    while (lease && lease->freed)
        lease = lease->next;
    return lease;
}

static void lease_hold(struct leases *leases, struct lease *lease)
{
    if (lease->freed)
        lease_pool_remove(pool_of_lease(leases, lease), lease);
}

static void lease_forget(struct leases *leases, struct lease *lease)
{
    lease_hold(leases, lease);
    lease_table_remove(&leases->table, lease);
}

static void lease_drop(struct leases *leases, struct lease *lease)
{
    tell(leases, LEASE_DROPPED, lease);
    lease_forget(leases, lease);
}

static void lease_set_freed(struct leases *leases, struct lease *lease)
{
    lease_hold(leases, lease);
    lease->freed = ++leases->n_freed;
    lease_pool_add(pool_of_lease(leases, lease), lease, leases->ranges[lease->use]);
}

/* The record that a key has released its other leases may have been lost. */
static void free_others(struct leases *leases, const struct lease *lease)
{
    struct lease *other = g_hash_table_lookup(leases->table.by_key, lease);
    for (; other; other = other->next)
        if (other != lease && !other->freed)
            lease_set_freed(leases, other);
}

void leases_restore(struct leases *leases, enum lease_event event, enum lease_use use,
                    const struct address *address, const char *key)
{
    if (strlen(key) > LEASE_KEY_MAX)
        return;
    struct lease *lease = lease_table_at(&leases->table, address);
    if (lease && (lease->use != use || strcmp(lease->key, key) != 0)) {
        lease_forget(leases, lease);
        lease = NULL;
    }
    if (event == LEASE_DROPPED) {
        if (lease)
            lease_forget(leases, lease);
        return;
    }
    if (!lease)
        lease = lease_table_add(&leases->table, use, address, key);
    if (event == LEASE_FREED) {
        lease_set_freed(leases, lease);
        return;
    }
    lease_hold(leases, lease);
    free_others(leases, lease);
}

bool leases_hold(const struct leases *leases, const struct address *address)
{
    return lease_table_at(&leases->table, address) != NULL;
}

/* Is the address free for a new lease: neither leased nor stated? */
static bool is_free(void *userdata, const struct address *address)
{
    const struct leases *leases = userdata;
    return !lease_table_at(&leases->table, address) && !is_stated(leases, address);
}

/* The address freed first, of those that are in range and not stated. */
static bool take_freed(struct leases *leases, struct lease_pool *pool, struct address *address)
{
    for (struct lease *lease; (lease = g_queue_peek_head(&pool->inside));) {
        *address = lease->address;
        lease_drop(leases, lease);
        if (!is_stated(leases, address))
            return true;
    }
    return false;
}

static bool take_any(struct leases *leases, enum lease_use use, int family, struct address *address)
{
    struct lease_ranges *ranges = leases->ranges[use];
    struct lease_pool *pool = pool_of(leases, use, family);
    if (pool->state == LEASE_POOL_EXHAUSTED)
        return false;
    if (lease_ranges_fresh(ranges, family, is_free, leases, address) ||
        take_freed(leases, pool, address) ||
        lease_ranges_left_over(ranges, family, is_free, leases, address))
        return true;
    pool->state = LEASE_POOL_EXHAUSTED;
    return false;
}

static void lease_release(struct leases *leases, struct lease *lease)
{
    if (lease->freed)
        return;
    lease_set_freed(leases, lease);
    tell(leases, LEASE_FREED, lease);
}

/* Not while iterating over a key's leases: they may be among the oldest. */
static void drop_surplus(struct leases *leases, const struct lease_pool *pool)
{
    for (struct lease *lease; (lease = lease_pool_surplus(pool));)
        lease_drop(leases, lease);
}

static bool is_better(const struct lease *lease, const struct lease *than)
{
    return !than || (than->freed && (!lease->freed || lease->freed > than->freed));
}

/* The lease that a key may have now, or NULL. Its others are released. */
static struct lease *find_usable(struct leases *leases, struct lease *first)
{
    struct lease *usable = NULL;
    for (struct lease *lease = first, *next; lease; lease = next) {
        next = lease->next;
        if (is_stated(leases, &lease->address))
            lease_drop(leases, lease);
        else if (!lease_ranges_contain(leases->ranges[lease->use], &lease->address))
            lease_release(leases, lease);
        else if (is_better(lease, usable))
            usable = lease;
    }
    return usable;
}

bool leases_take(struct leases *leases, enum lease_use use, int family, const char *key,
                 struct address *address)
{
    struct lease_pool *pool = pool_of(leases, use, family);
    if (strlen(key) > LEASE_KEY_MAX)
        return false;
    struct lease *lease = find_usable(leases, lease_table_find(&leases->table, use, family, key));
    if (lease) {
        *address = lease->address;
        lease->claimed = true;
        if (lease->freed) {
            lease_hold(leases, lease);
            tell(leases, LEASE_TAKEN, lease);
        }
    }
    drop_surplus(leases, pool);
    if (lease)
        return true;
    if (!lease_ranges_have_family(leases->ranges[use], family))
        return false;
    if (!take_any(leases, use, family, address)) {
        g_hash_table_add(pool->waiters, g_strdup(key));
        return false;
    }
    g_hash_table_remove(pool->waiters, key);
    lease = lease_table_add(&leases->table, use, address, key);
    lease->claimed = true;
    tell(leases, LEASE_TAKEN, lease);
    return true;
}

bool leases_find(const struct leases *leases, enum lease_use use, int family, const char *key,
                 struct address *address)
{
    const struct lease *lease = find_held(leases, use, family, key);
    if (!lease)
        return false;
    *address = lease->address;
    return true;
}

void leases_release(struct leases *leases, enum lease_use use, int family, const char *key)
{
    struct lease_pool *pool = pool_of(leases, use, family);
    struct lease *lease = find_held(leases, use, family, key);
    if (lease)
        lease_release(leases, lease);
    drop_surplus(leases, pool);
    g_hash_table_remove(pool->waiters, key);
}

uint64_t leases_exhausted(const struct leases *leases, enum lease_use use)
{
    GHashTable *inet = leases->pools[use][0].waiters, *inet6 = leases->pools[use][1].waiters;
    uint64_t n = g_hash_table_size(inet);
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, inet6);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        n += !g_hash_table_contains(inet, key);
    return n;
}

GPtrArray *leases_take_waiters(struct leases *leases)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    for (unsigned use = 0; use < LEASE_USES; use++)
        for (unsigned inet6 = 0; inet6 < 2; inet6++)
            lease_pool_take_waiters(&leases->pools[use][inet6], keys);
    return keys;
}

char *leases_evict(struct leases *leases, const struct address *address)
{
    struct lease *lease = lease_table_at(&leases->table, address);
    if (!lease)
        return NULL;
    char *key = lease->freed ? NULL : g_strdup(lease->key);
    lease_drop(leases, lease);
    return key;
}

void leases_release_unclaimed(struct leases *leases)
{
    g_autoptr(GPtrArray) gone = g_ptr_array_new();
    GHashTableIter iter;
    struct lease *lease;
    g_hash_table_iter_init(&iter, leases->table.by_address);
    while (g_hash_table_iter_next(&iter, (gpointer *)&lease, NULL)) {
        if (!lease->claimed && !lease->freed)
            g_ptr_array_add(gone, lease);
    }
    g_ptr_array_sort(gone, lease_pool_compare);
    for (guint i = 0; i < gone->len; i++)
        lease_release(leases, gone->pdata[i]);
}

/* Held ones come last, because restoring a lease for a key frees its others. */
static int compare_kept(gconstpointer a, gconstpointer b)
{
    const struct lease *x = *(struct lease *const *)a, *y = *(struct lease *const *)b;
    if (!x->freed != !y->freed)
        return x->freed ? -1 : 1;
    return lease_pool_compare(a, b);
}

void leases_each(const struct leases *leases,
                 void (*each)(void *userdata, const struct lease *lease), void *userdata)
{
    g_autoptr(GPtrArray) all = g_ptr_array_sized_new(g_hash_table_size(leases->table.by_address));
    GHashTableIter iter;
    struct lease *lease;
    g_hash_table_iter_init(&iter, leases->table.by_address);
    while (g_hash_table_iter_next(&iter, (gpointer *)&lease, NULL))
        g_ptr_array_add(all, lease);
    g_ptr_array_sort(all, compare_kept);
    for (guint i = 0; i < all->len; i++)
        each(userdata, all->pdata[i]);
}

uint64_t leases_size(const struct leases *leases)
{
    return g_hash_table_size(leases->table.by_address);
}

void leases_count(const struct leases *leases, enum lease_use use, uint64_t *held, uint64_t *size)
{
    *held = 0;
    GHashTableIter iter;
    const struct lease *lease;
    g_hash_table_iter_init(&iter, leases->table.by_address);
    while (g_hash_table_iter_next(&iter, (gpointer *)&lease, NULL))
        *held += lease->use == use && !lease->freed;
    *size = lease_ranges_size(leases->ranges[use]);
}
