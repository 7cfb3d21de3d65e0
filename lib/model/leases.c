/*
 * Address leases. Two tables over the same leases, one by key and one by address, a queue of the
 * freed ones and, for each range, the place where fresh addresses continue. No expiry and no
 * priorities: an object that exists keeps its address, one that is gone may lose it only when
 * nothing fresh is left.
 */
#include "leases.h"

#include <string.h>

#include "lease_ranges.h"
#include "lease_waits.h"
#include "lib/util/hash.h"
#include "wide_set.h"

struct leases {
    struct leases_callbacks callbacks;
    struct lease_ranges *ranges[LEASE_USES];
    struct wide_set by_key;     /* struct lease */
    struct wide_set by_address; /* struct lease; owns them */
    uint64_t freed;             /* how many were ever freed: their order */
    GQueue *queues[LEASE_USES]; /* freed leases, oldest first; may hold retaken ones, see below */
    struct lease_waits waits;
};

/* A place in the queue outlives what it stands for: taking a freed lease again must not search the
 * queue, so entries are checked against the lease when they come up. */
struct freed_entry {
    struct address address;
    uint64_t freed;
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
    wide_set_init(&leases->by_key, lease_key_hash, lease_key_equal, NULL);
    wide_set_init(&leases->by_address, lease_address_hash, lease_address_equal, g_free);
    for (unsigned use = 0; use < LEASE_USES; use++) {
        leases->ranges[use] = lease_ranges_new();
        leases->queues[use] = g_queue_new();
    }
    lease_waits_init(&leases->waits);
    return leases;
}

struct leases *leases_free(struct leases *leases)
{
    if (!leases)
        return NULL;
    wide_set_clear(&leases->by_key);
    wide_set_clear(&leases->by_address);
    for (unsigned use = 0; use < LEASE_USES; use++) {
        leases->ranges[use] = lease_ranges_free(leases->ranges[use]);
        g_queue_free_full(leases->queues[use], g_free);
    }
    lease_waits_clear(&leases->waits);
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
    for (int family = 4; family <= 6; family += 2)
        if (have_family(leases, use, family))
            lease_waits_relieve(&leases->waits, use, family);
}

void leases_relieve(struct leases *leases, const struct address *address)
{
    for (unsigned use = 0; use < LEASE_USES; use++)
        if (lease_ranges_contain(leases->ranges[use], address))
            lease_waits_relieve(&leases->waits, use, address_family(address));
}

int leases_first_family(const struct leases *leases, enum lease_use use)
{
    return lease_ranges_first_family(leases->ranges[use]);
}

/* A lease as the tables' lookup argument; `storage` must hold the key. */
static struct lease *probe(char *storage, size_t size, enum lease_use use, int family,
                           const char *key)
{
    static const struct address inet = {{[10] = 0xff, [11] = 0xff}};
    struct lease *lease = (struct lease *)(void *)storage;
    memset(lease, 0, sizeof *lease);
    lease->use = (uint8_t)use;
    if (family == 4)
        lease->address = inet;
    g_strlcpy(lease->key, key, size - sizeof *lease);
    return lease;
}

static struct lease *find_key(const struct leases *leases, enum lease_use use, int family,
                              const char *key)
{
    _Alignas(struct lease) char storage[sizeof(struct lease) + LEASE_KEY_MAX + 1];
    return wide_set_find(&leases->by_key, probe(storage, sizeof storage, use, family, key));
}

static struct lease *find_address(const struct leases *leases, const struct address *address)
{
    struct lease lease = {.address = *address};
    return wide_set_find(&leases->by_address, &lease);
}

static struct lease *lease_add(struct leases *leases, enum lease_use use,
                               const struct address *address, const char *key)
{
    size_t length = strlen(key);
    struct lease *lease = g_malloc0(sizeof *lease + length + 1);
    lease->address = *address;
    lease->use = (uint8_t)use;
    memcpy(lease->key, key, length + 1);
    wide_set_add(&leases->by_address, lease);
    wide_set_add(&leases->by_key, lease);
    return lease;
}

static void lease_forget(struct leases *leases, struct lease *lease)
{
    wide_set_remove(&leases->by_key, lease);
    wide_set_remove(&leases->by_address, lease);
}

static void lease_drop(struct leases *leases, struct lease *lease)
{
    leases->callbacks.changed(leases->callbacks.userdata, LEASE_DROPPED, lease);
    lease_forget(leases, lease);
}

static void lease_set_freed(struct leases *leases, struct lease *lease)
{
    lease->freed = ++leases->freed;
    struct freed_entry *entry = g_new(struct freed_entry, 1);
    *entry = (struct freed_entry){lease->address, lease->freed};
    g_queue_push_tail(leases->queues[lease->use], entry);
    lease_waits_relieve(&leases->waits, (enum lease_use)lease->use,
                        address_family(&lease->address));
}

void leases_restore(struct leases *leases, enum lease_event event, enum lease_use use,
                    const struct address *address, const char *key)
{
    if (strlen(key) > LEASE_KEY_MAX)
        return;
    struct lease *held = find_address(leases, address);
    struct lease *lease = find_key(leases, use, address_family(address), key);
    if (held && held != lease)
        lease_forget(leases, held);
    if (lease && lease != held) {
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
    if (event == LEASE_FREED)
        lease_set_freed(leases, lease);
    else
        lease->freed = 0;
}

bool leases_hold(const struct leases *leases, const struct address *address)
{
    return find_address(leases, address) != NULL;
}

/* Is the address free for a new lease: in no lease, stated by nobody? */
static bool is_free(void *userdata, const struct address *address)
{
    const struct leases *leases = userdata;
    fiber_tick(leases->callbacks.fiber);
    return !find_address(leases, address) &&
           !leases->callbacks.stated(leases->callbacks.userdata, address);
}

/* The address that was freed first, of those that nobody states and that are still in range. */
static bool take_freed(struct leases *leases, enum lease_use use, int family,
                       struct address *address)
{
    GQueue *queue = leases->queues[use];
    for (GList *link = queue->head; link;) {
        GList *next = link->next;
        struct freed_entry *entry = link->data;
        struct lease *lease = find_address(leases, &entry->address);
        bool current = lease && lease->freed == entry->freed;
        if (current && address_family(&entry->address) != family) {
            link = next;
            continue;
        }
        *address = entry->address;
        g_free(entry);
        g_queue_delete_link(queue, link);
        link = next;
        if (!current)
            continue;
        lease_drop(leases, lease);
        if (lease_ranges_contain(leases->ranges[use], address) &&
            !leases->callbacks.stated(leases->callbacks.userdata, address))
            return true;
    }
    return false;
}

static bool take_any(struct leases *leases, enum lease_use use, int family, struct address *address)
{
    if (lease_waits_is_full(&leases->waits, use, family))
        return false;
    struct lease_ranges *ranges = leases->ranges[use];
    if (lease_ranges_fresh(ranges, family, is_free, leases, address) ||
        take_freed(leases, use, family, address) ||
        lease_ranges_left_over(ranges, family, is_free, leases, address))
        return true;
    lease_waits_fill(&leases->waits, use, family);
    return false;
}

bool leases_take(struct leases *leases, enum lease_use use, int family, const char *key,
                 struct address *address)
{
    if (strlen(key) > LEASE_KEY_MAX)
        return false;
    struct lease *lease = find_key(leases, use, family, key);
    if (lease && (!lease_ranges_contain(leases->ranges[use], &lease->address) ||
                  leases->callbacks.stated(leases->callbacks.userdata, &lease->address))) {
        lease_drop(leases, lease);
        lease = NULL;
    }
    if (lease) {
        *address = lease->address;
        lease->claimed = true;
        if (lease->freed) {
            lease->freed = 0;
            leases->callbacks.changed(leases->callbacks.userdata, LEASE_TAKEN, lease);
        }
        return true;
    }
    if (!have_family(leases, use, family))
        return false;
    if (!take_any(leases, use, family, address)) {
        lease_waits_add(&leases->waits, use, family, key);
        return false;
    }
    lease_waits_remove(&leases->waits, use, family, key);
    lease = lease_add(leases, use, address, key);
    lease->claimed = true;
    leases->callbacks.changed(leases->callbacks.userdata, LEASE_TAKEN, lease);
    return true;
}

static void lease_release(struct leases *leases, struct lease *lease)
{
    if (lease->freed)
        return;
    lease_set_freed(leases, lease);
    leases->callbacks.changed(leases->callbacks.userdata, LEASE_FREED, lease);
}

void leases_release(struct leases *leases, enum lease_use use, int family, const char *key)
{
    struct lease *lease = find_key(leases, use, family, key);
    if (lease)
        lease_release(leases, lease);
    lease_waits_remove(&leases->waits, use, family, key);
}

uint64_t leases_refused(const struct leases *leases, enum lease_use use)
{
    return lease_waits_count(&leases->waits, use);
}

GPtrArray *leases_relieved(struct leases *leases)
{
    return lease_waits_take(&leases->waits, leases->callbacks.fiber);
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
    struct fiber *fiber = leases->callbacks.fiber;
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(struct lease *));
    struct wide_set_iter iter;
    struct lease *lease;
    wide_set_iter_init(&iter, &leases->by_address);
    while ((lease = wide_set_next(&iter))) {
        if (!lease->claimed && !lease->freed)
            g_array_append_val(gone, lease);
        fiber_tick(fiber);
    }
    fiber_sort(fiber, gone, compare_leases);
    for (guint i = 0; i < gone->len; i++) {
        lease_release(leases, g_array_index(gone, struct lease *, i));
        fiber_tick(fiber);
    }
}

static int compare_freed(gconstpointer a, gconstpointer b)
{
    const struct lease *x = *(struct lease *const *)a, *y = *(struct lease *const *)b;
    if (x->freed != y->freed)
        return x->freed < y->freed ? -1 : 1;
    return address_compare(&x->address, &y->address);
}

void leases_each(const struct leases *leases,
                 void (*each)(void *userdata, const struct lease *lease), void *userdata)
{
    g_autoptr(GPtrArray) all = g_ptr_array_sized_new(wide_set_size(&leases->by_address));
    struct wide_set_iter iter;
    struct lease *lease;
    wide_set_iter_init(&iter, &leases->by_address);
    while ((lease = wide_set_next(&iter)))
        g_ptr_array_add(all, lease);
    g_ptr_array_sort(all, compare_freed);
    for (guint i = 0; i < all->len; i++)
        each(userdata, all->pdata[i]);
}

uint64_t leases_size(const struct leases *leases)
{
    return wide_set_size(&leases->by_address);
}

void leases_count(const struct leases *leases, enum lease_use use, uint64_t *held, uint64_t *size)
{
    *held = 0;
    struct wide_set_iter iter;
    const struct lease *lease;
    wide_set_iter_init(&iter, &leases->by_address);
    while ((lease = wide_set_next(&iter)))
        *held += lease->use == use && !lease->freed;
    *size = lease_ranges_size(leases->ranges[use]);
}
