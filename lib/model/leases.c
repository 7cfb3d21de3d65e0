/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Address leases. Two tables over the same leases, one by key and one by address, queues of the
 * freed ones and, for each range, the place where fresh addresses continue. No expiry and no
 * priorities: an existing object keeps its address; a removed one may lose it only when no fresh
 * one is left, or when too many are remembered.
 */
#include "leases.h"

#include <string.h>

#include "freed_leases.h"
#include "lease_ranges.h"
#include "lease_waiters.h"
#include "lib/util/hash.h"

struct leases {
    struct leases_callbacks callbacks;
    struct lease_ranges *ranges[LEASE_USES];
    GHashTable *by_key;     /* struct lease, the first of each key's */
    GHashTable *by_address; /* struct lease; owns them */
    struct freed_leases freed;
    struct lease_waiters waits;
};

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

static guint lease_address_hash(gconstpointer data)
{
    return hash_address(&((const struct lease *)data)->address);
}

static gboolean lease_address_equal(gconstpointer a, gconstpointer b)
{
    return address_compare(&((const struct lease *)a)->address,
                           &((const struct lease *)b)->address) == 0;
}

struct leases *leases_new(const struct leases_callbacks *callbacks)
{
    struct leases *leases = g_new0(struct leases, 1);
    leases->callbacks = *callbacks;
    leases->by_key = g_hash_table_new(lease_key_hash, lease_key_equal);
    leases->by_address =
        g_hash_table_new_full(lease_address_hash, lease_address_equal, g_free, NULL);
    for (unsigned use = 0; use < LEASE_USES; use++)
        leases->ranges[use] = lease_ranges_new();
    lease_waiters_init(&leases->waits);
    return leases;
}

struct leases *leases_free(struct leases *leases)
{
    if (!leases)
        return NULL;
    g_hash_table_unref(leases->by_key);
    g_hash_table_unref(leases->by_address);
    for (unsigned use = 0; use < LEASE_USES; use++)
        leases->ranges[use] = lease_ranges_free(leases->ranges[use]);
    lease_waiters_clear(&leases->waits);
    g_free(leases);
    return NULL;
}

static bool have_family(const struct leases *leases, enum lease_use use, int family)
{
    return lease_ranges_have_family(leases->ranges[use], family);
}

void leases_set_ranges(struct leases *leases, enum lease_use use, const GArray *ranges)
{
    lease_ranges_set(leases->ranges[use], ranges);
    freed_leases_sort(&leases->freed, use, leases->ranges[use]);
    for (int family = 4; family <= 6; family += 2)
        if (have_family(leases, use, family))
            lease_waiters_note_freed(&leases->waits, use, family);
}

void leases_note_freed(struct leases *leases, const struct address *address)
{
    for (unsigned use = 0; use < LEASE_USES; use++)
        if (lease_ranges_contain(leases->ranges[use], address))
            lease_waiters_note_freed(&leases->waits, use, address_family(address));
}

int leases_first_family(const struct leases *leases, enum lease_use use)
{
    return lease_ranges_first_family(leases->ranges[use]);
}

/* A lease as the key of a table lookup; `storage` must hold the key. */
static struct lease *probe(char *storage, size_t size, enum lease_use use, int family,
                           const char *key)
{
    struct lease *lease = (struct lease *)(void *)storage;
    memset(lease, 0, sizeof *lease);
    lease->use = (uint8_t)use;
    if (family == 4)
        memcpy(lease->address.bytes, inet_prefix, sizeof inet_prefix);
    g_strlcpy(lease->key, key, size - sizeof *lease);
    return lease;
}

static struct lease *find_key(const struct leases *leases, enum lease_use use, int family,
                              const char *key)
{
    _Alignas(struct lease) char storage[sizeof(struct lease) + LEASE_KEY_MAX + 1];
    return g_hash_table_lookup(leases->by_key, probe(storage, sizeof storage, use, family, key));
}

static struct lease *find_address(const struct leases *leases, const struct address *address)
{
    struct lease lease = {.address = *address};
    return g_hash_table_lookup(leases->by_address, &lease);
}

static struct lease *lease_add(struct leases *leases, enum lease_use use,
                               const struct address *address, const char *key)
{
    size_t length = strlen(key);
    struct lease *lease = g_malloc0(sizeof *lease + length + 1);
    lease->address = *address;
    lease->use = (uint8_t)use;
    memcpy(lease->key, key, length + 1);
    g_hash_table_add(leases->by_address, lease);
    struct lease *first = g_hash_table_lookup(leases->by_key, lease);
    if (!first) {
        g_hash_table_add(leases->by_key, lease);
        return lease;
    }
    lease->next = first->next;
    first->next = lease;
    return lease;
}

static void forget_key(struct leases *leases, struct lease *lease)
{
    struct lease *first = g_hash_table_lookup(leases->by_key, lease);
    if (first == lease) {
        g_hash_table_remove(leases->by_key, lease);
        if (lease->next)
            g_hash_table_add(leases->by_key, lease->next);
        return;
    }
    while (first->next != lease)
        first = first->next;
    first->next = lease->next;
}

static void lease_hold(struct leases *leases, struct lease *lease)
{
    if (lease->freed)
        freed_leases_remove(&leases->freed, lease);
}

static void lease_forget(struct leases *leases, struct lease *lease)
{
    lease_hold(leases, lease);
    forget_key(leases, lease);
    g_hash_table_remove(leases->by_address, lease);
}

static void lease_drop(struct leases *leases, struct lease *lease)
{
    leases->callbacks.changed(leases->callbacks.userdata, LEASE_DROPPED, lease);
    lease_forget(leases, lease);
}

static void lease_set_freed(struct leases *leases, struct lease *lease)
{
    lease_hold(leases, lease);
    freed_leases_add(&leases->freed, lease, leases->ranges[lease->use]);
    if (!lease->outside)
        lease_waiters_note_freed(&leases->waits, (enum lease_use)lease->use,
                                 address_family(&lease->address));
}

/* The record that a key has released its other leases may have been lost. */
static void free_others(struct leases *leases, const struct lease *lease)
{
    struct lease *other = g_hash_table_lookup(leases->by_key, lease);
    for (; other; other = other->next)
        if (other != lease && !other->freed)
            lease_set_freed(leases, other);
}

void leases_restore(struct leases *leases, enum lease_event event, enum lease_use use,
                    const struct address *address, const char *key)
{
    if (strlen(key) > LEASE_KEY_MAX)
        return;
    struct lease *lease = find_address(leases, address);
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
        lease = lease_add(leases, use, address, key);
    if (event == LEASE_FREED) {
        lease_set_freed(leases, lease);
        return;
    }
    lease_hold(leases, lease);
    free_others(leases, lease);
}

bool leases_hold(const struct leases *leases, const struct address *address)
{
    return find_address(leases, address) != NULL;
}

/* Is the address free for a new lease: neither leased nor stated? */
static bool is_free(void *userdata, const struct address *address)
{
    const struct leases *leases = userdata;
    return !find_address(leases, address) &&
           !leases->callbacks.stated(leases->callbacks.userdata, address);
}

/* The address freed first, of those that are in range and not stated. */
static bool take_freed(struct leases *leases, enum lease_use use, int family,
                       struct address *address)
{
    for (struct lease *lease; (lease = freed_leases_oldest(&leases->freed, use, family));) {
        *address = lease->address;
        lease_drop(leases, lease);
        if (!leases->callbacks.stated(leases->callbacks.userdata, address))
            return true;
    }
    return false;
}

static bool take_any(struct leases *leases, enum lease_use use, int family, struct address *address)
{
    if (lease_waiters_is_exhausted(&leases->waits, use, family))
        return false;
    struct lease_ranges *ranges = leases->ranges[use];
    if (lease_ranges_fresh(ranges, family, is_free, leases, address) ||
        take_freed(leases, use, family, address) ||
        lease_ranges_left_over(ranges, family, is_free, leases, address))
        return true;
    lease_waiters_set_exhausted(&leases->waits, use, family);
    return false;
}

static void lease_release(struct leases *leases, struct lease *lease)
{
    if (lease->freed)
        return;
    lease_set_freed(leases, lease);
    leases->callbacks.changed(leases->callbacks.userdata, LEASE_FREED, lease);
}

/* Not while iterating over a key's leases: they may be among the oldest. */
static void drop_surplus(struct leases *leases, enum lease_use use, int family)
{
    for (struct lease *lease; (lease = freed_leases_surplus(&leases->freed, use, family));)
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
        if (leases->callbacks.stated(leases->callbacks.userdata, &lease->address))
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
    if (strlen(key) > LEASE_KEY_MAX)
        return false;
    struct lease *lease = find_usable(leases, find_key(leases, use, family, key));
    if (lease) {
        *address = lease->address;
        lease->claimed = true;
        if (lease->freed) {
            lease_hold(leases, lease);
            leases->callbacks.changed(leases->callbacks.userdata, LEASE_TAKEN, lease);
        }
    }
    drop_surplus(leases, use, family);
    if (lease)
        return true;
    if (!have_family(leases, use, family))
        return false;
    if (!take_any(leases, use, family, address)) {
        lease_waiters_add(&leases->waits, use, family, key);
        return false;
    }
    lease_waiters_remove(&leases->waits, use, family, key);
    lease = lease_add(leases, use, address, key);
    lease->claimed = true;
    leases->callbacks.changed(leases->callbacks.userdata, LEASE_TAKEN, lease);
    return true;
}

bool leases_find(const struct leases *leases, enum lease_use use, int family, const char *key,
                 struct address *address)
{
    const struct lease *lease =
        strlen(key) <= LEASE_KEY_MAX ? find_key(leases, use, family, key) : NULL;
    while (lease && lease->freed)
        lease = lease->next;
    if (!lease)
        return false;
    *address = lease->address;
    return true;
}

void leases_release(struct leases *leases, enum lease_use use, int family, const char *key)
{
    struct lease *lease = find_key(leases, use, family, key);
    while (lease && lease->freed)
        lease = lease->next;
    if (lease)
        lease_release(leases, lease);
    drop_surplus(leases, use, family);
    lease_waiters_remove(&leases->waits, use, family, key);
}

uint64_t leases_exhausted(const struct leases *leases, enum lease_use use)
{
    return lease_waiters_count(&leases->waits, use);
}

GPtrArray *leases_take_waiters(struct leases *leases)
{
    return lease_waiters_take(&leases->waits);
}

char *leases_evict(struct leases *leases, const struct address *address)
{
    struct lease *lease = find_address(leases, address);
    if (!lease)
        return NULL;
    char *key = lease->freed ? NULL : g_strdup(lease->key);
    lease_drop(leases, lease);
    return key;
}

static int compare_leases(gconstpointer a, gconstpointer b)
{
    const struct lease *x = *(struct lease *const *)a, *y = *(struct lease *const *)b;
    return address_compare(&x->address, &y->address);
}

void leases_release_unclaimed(struct leases *leases)
{
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(struct lease *));
    GHashTableIter iter;
    struct lease *lease;
    g_hash_table_iter_init(&iter, leases->by_address);
    while (g_hash_table_iter_next(&iter, (gpointer *)&lease, NULL)) {
        if (!lease->claimed && !lease->freed)
            g_array_append_val(gone, lease);
    }
    g_array_sort(gone, compare_leases);
    for (guint i = 0; i < gone->len; i++)
        lease_release(leases, g_array_index(gone, struct lease *, i));
}

/* Held ones come last, because restoring a lease for a key frees its others. */
static int compare_kept(gconstpointer a, gconstpointer b)
{
    const struct lease *x = *(struct lease *const *)a, *y = *(struct lease *const *)b;
    if (!x->freed != !y->freed)
        return x->freed ? -1 : 1;
    return freed_leases_compare(a, b);
}

void leases_each(const struct leases *leases,
                 void (*each)(void *userdata, const struct lease *lease), void *userdata)
{
    g_autoptr(GPtrArray) all = g_ptr_array_sized_new(g_hash_table_size(leases->by_address));
    GHashTableIter iter;
    struct lease *lease;
    g_hash_table_iter_init(&iter, leases->by_address);
    while (g_hash_table_iter_next(&iter, (gpointer *)&lease, NULL))
        g_ptr_array_add(all, lease);
    g_ptr_array_sort(all, compare_kept);
    for (guint i = 0; i < all->len; i++)
        each(userdata, all->pdata[i]);
}

uint64_t leases_size(const struct leases *leases)
{
    return g_hash_table_size(leases->by_address);
}

void leases_count(const struct leases *leases, enum lease_use use, uint64_t *held, uint64_t *size)
{
    *held = 0;
    GHashTableIter iter;
    const struct lease *lease;
    g_hash_table_iter_init(&iter, leases->by_address);
    while (g_hash_table_iter_next(&iter, (gpointer *)&lease, NULL))
        *held += lease->use == use && !lease->freed;
    *size = lease_ranges_size(leases->ranges[use]);
}
