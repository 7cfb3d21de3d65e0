/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sighting belongs to the only object that can have a pod of its name, unless another pod has its
 * address. When a sighting or an object comes or goes, only what it meets, or has an address in
 * common with, is resolved again.
 */
#include "sightings.h"

#include <string.h>

#include "lib/util/log.h"
#include "meeting.h"
#include "sighting_addresses.h"
#include "sighting_names.h"

struct sightings {
    struct sightings_callbacks callbacks;
    GHashTable *files;     /* which file -> GPtrArray of struct sighting *, sorted */
    GHashTable *meetings;  /* meetings_new */
    GHashTable *addresses; /* sighting_addresses_new */
    GHashTable *holders;   /* set of struct holder, by key */
    GPtrArray *unsettled;  /* struct sighting *: each is dirty */
    GPtrArray *unseated;   /* struct holder *: each is dirty */
    char *node;
};

struct sightings *sightings_new(const struct sightings_callbacks *callbacks)
{
    struct sightings *sightings = g_new0(struct sightings, 1);
    sightings->callbacks = *callbacks;
    sightings->files = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
    sightings->meetings = meetings_new();
    sightings->addresses = sighting_addresses_new();
    sightings->holders = g_hash_table_new_full(holder_hash, holder_equal, holder_free, NULL);
    sightings->unsettled = g_ptr_array_new();
    sightings->unseated = g_ptr_array_new();
    return sightings;
}

struct sightings *sightings_free(struct sightings *sightings)
{
    GHashTableIter iter;
    gpointer list;
    if (!sightings)
        return NULL;
    g_hash_table_iter_init(&iter, sightings->files);
    while (g_hash_table_iter_next(&iter, NULL, &list))
        g_ptr_array_set_free_func(list, (GDestroyNotify)sighting_free);
    g_hash_table_unref(sightings->files);
    g_hash_table_unref(sightings->meetings);
    g_hash_table_unref(sightings->addresses);
    g_hash_table_unref(sightings->holders);
    g_ptr_array_unref(sightings->unsettled);
    g_ptr_array_unref(sightings->unseated);
    g_free(sightings->node);
    g_free(sightings);
    return NULL;
}

/* It has to be resolved again. */
static void mark(struct sightings *sightings, struct sighting *sighting)
{
    if (sighting->dirty)
        return;
    sighting->dirty = true;
    g_ptr_array_add(sightings->unsettled, sighting);
}

static void mark_all(struct sightings *sightings, const GPtrArray *list)
{
    for (guint i = 0; list && i < list->len; i++)
        mark(sightings, list->pdata[i]);
}

static void unseat(struct sightings *sightings, struct holder *holder)
{
    if (holder->dirty)
        return;
    holder->dirty = true;
    g_ptr_array_add(sightings->unseated, holder);
}

/* An address may no longer be that of others which have it. `first`: of those with it. */
static void mark_others(struct sightings *sightings, const struct sighting *sighting, unsigned i,
                        struct sighting *first)
{
    for (; first; first = sighting_addresses_next(first, &sighting->addresses[i]))
        if (first != sighting)
            mark(sightings, first);
}

static void join_addresses(struct sightings *sightings, struct sighting *sighting)
{
    sighting_addresses_join(sightings->addresses, sighting);
    for (unsigned i = 0; i < sighting->n_addresses; i++)
        mark_others(sightings, sighting, i, sighting->next[i]);
}

static void part_addresses(struct sightings *sightings, struct sighting *sighting)
{
    for (unsigned i = 0; i < sighting->n_addresses; i++)
        mark_others(sightings, sighting, i,
                    sighting_addresses_first(sightings->addresses, &sighting->addresses[i]));
    sighting_addresses_leave(sightings->addresses, sighting);
}

static void tell_stated(const struct sightings *sightings, const struct sighting *sighting,
                        bool stated)
{
    if (!sighting->attested)
        return;
    for (unsigned i = 0; i < sighting->n_addresses; i++)
        sightings->callbacks.stated(sightings->callbacks.userdata, &sighting->addresses[i], stated);
}

/* To a holder, or to none (NULL). */
static void assign(struct sightings *sightings, struct sighting *sighting, struct holder *holder)
{
    if (sighting->holder == holder)
        return;
    if (sighting->holder) {
        g_ptr_array_remove_fast(sighting->holder->assigned, sighting);
        unseat(sightings, sighting->holder);
    }
    sighting->holder = holder;
    if (!holder)
        return;
    g_ptr_array_add(holder->assigned, sighting);
    unseat(sightings, holder);
}

static void come(struct sightings *sightings, struct sighting *sighting)
{
    sighting->present = true;
    meetings_join(sightings->meetings, sighting, sightings->node);
    join_addresses(sightings, sighting);
    tell_stated(sightings, sighting, true);
    mark(sightings, sighting);
}

/* Its holder's seats may still lead to it until they are filled again, so it goes from there too.
 */
static void go(struct sightings *sightings, struct sighting *sighting)
{
    if (sighting->holder)
        g_ptr_array_set_size(sighting->holder->seats, 0);
    assign(sightings, sighting, NULL);
    meetings_leave(sightings->meetings, sighting);
    part_addresses(sightings, sighting);
    tell_stated(sightings, sighting, false);
    if (sighting->dirty)
        g_ptr_array_remove_fast(sightings->unsettled, sighting);
    sighting_free(sighting);
}

static void part_and_join(struct sightings *sightings, const char *node)
{
    GHashTableIter iter;
    gpointer value;
    GPtrArray *all = g_ptr_array_new();
    g_hash_table_iter_init(&iter, sightings->files);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_extend(all, value, NULL, NULL);
    for (guint i = 0; i < all->len; i++)
        meetings_leave(sightings->meetings, all->pdata[i]);
    g_free(sightings->node);
    sightings->node = g_strdup(node);
    for (guint i = 0; i < all->len; i++) {
        meetings_join(sightings->meetings, all->pdata[i], sightings->node);
        mark(sightings, all->pdata[i]);
    }
    g_ptr_array_unref(all);
}

void sightings_set_node(struct sightings *sightings, const char *node)
{
    if (g_strcmp0(sightings->node, node) != 0)
        part_and_join(sightings, node);
}

static gint by_content(gconstpointer a, gconstpointer b)
{
    return sighting_order(*(const struct sighting *const *)a, *(const struct sighting *const *)b);
}

/* Of the sorted contents of a file before and now, in `now` those that were there before remain
 * the same sightings, and duplicates count once. Those that are gone go. */
static void sort_out(struct sightings *sightings, const GPtrArray *before, GPtrArray *now)
{
    guint n_before = before ? before->len : 0, at = 0, n = 0;
    for (guint i = 0; i < now->len; i++) {
        struct sighting *sighting = now->pdata[i];
        if (n > 0 && sighting_order(now->pdata[n - 1], sighting) == 0) {
            sighting_free(sighting);
            continue;
        }
        while (at < n_before && sighting_order(before->pdata[at], sighting) < 0)
            go(sightings, before->pdata[at++]);
        if (at < n_before && sighting_order(before->pdata[at], sighting) == 0) {
            sighting_free(sighting);
            sighting = before->pdata[at++];
        }
        now->pdata[n++] = sighting;
    }
    while (at < n_before)
        go(sightings, before->pdata[at++]);
    g_ptr_array_set_size(now, (gint)n);
}

void sightings_replace(struct sightings *sightings, const void *file, GPtrArray *now)
{
    g_autoptr(GPtrArray) sorted = now ? now : g_ptr_array_new();
    g_ptr_array_sort(sorted, by_content);
    sort_out(sightings, g_hash_table_lookup(sightings->files, file), sorted);
    for (guint i = 0; i < sorted->len; i++)
        if (!((const struct sighting *)sorted->pdata[i])->present)
            come(sightings, sorted->pdata[i]);
    if (sorted->len > 0)
        g_hash_table_insert(sightings->files, (gpointer)(uintptr_t)file, g_ptr_array_ref(sorted));
    else
        g_hash_table_remove(sightings->files, file);
}

static struct holder *find_holder(const struct sightings *sightings, const struct holder_key *key)
{
    return g_hash_table_lookup(sightings->holders, &(struct holder){.key = *key});
}

static void holder_go(struct sightings *sightings, struct holder *holder)
{
    while (holder->assigned->len > 0)
        assign(sightings, holder->assigned->pdata[holder->assigned->len - 1], NULL);
    mark_all(sightings, meetings_sightings(sightings->meetings, &holder->key));
    meetings_leave_holder(sightings->meetings, holder);
    if (holder->dirty)
        g_ptr_array_remove_fast(sightings->unseated, holder);
    g_hash_table_remove(sightings->holders, holder);
}

static struct holder *holder_come(struct sightings *sightings, const struct holder_key *key)
{
    struct holder *holder = holder_new(key);
    g_hash_table_add(sightings->holders, holder);
    meetings_join_holder(sightings->meetings, holder);
    return holder;
}

static bool pods_equal(const struct holder_pods *a, const struct holder_pods *b)
{
    return a->n == b->n && a->ordinal == b->ordinal && a->indexed == b->indexed;
}

void sightings_hold(struct sightings *sightings, const struct holder_key *key,
                    const struct holder_pods *pods)
{
    struct holder *holder = find_holder(sightings, key);
    if (holder ? pods_equal(&holder->pods, pods) : pods->n == 0)
        return;
    if (pods->n == 0) {
        holder_go(sightings, holder);
        return;
    }
    if (!holder)
        holder = holder_come(sightings, key);
    holder->pods = *pods;
    /* another one may have had them, or might have had them */
    mark_all(sightings, meetings_sightings(sightings->meetings, key));
    if (holder->assigned->len > 0)
        unseat(sightings, holder);
}

char *sightings_why_ignored(const struct sightings *sightings, const struct sighting *sighting)
{
    if (sighting->state == SIGHTING_REFUSED)
        return describe_owner(sightings->addresses, sighting);
    return sighting->state == SIGHTING_AMBIGUOUS ? describe_claimants(sighting, sightings->node)
                                                 : NULL;
}

static void warn(const struct sightings *sightings, const struct sighting *sighting)
{
    g_autofree char *why = sightings_why_ignored(sightings, sighting);
    if (why)
        log_warning("%s; ignoring it", why);
}

static void settle(struct sightings *sightings, struct sighting *sighting)
{
    g_autoptr(GPtrArray) claimants = sighting_claimants(sighting, sightings->node, 2);
    const struct address *address;
    enum sighting_state before = sighting->state;
    sighting->dirty = false;
    if (claimants->len > 0 && sighting_addresses_owner(sightings->addresses, sighting, &address))
        sighting->state = sighting->attested ? SIGHTING_SUPERSEDED : SIGHTING_REFUSED;
    else
        sighting->state = claimants->len == 0   ? SIGHTING_UNKNOWN
                          : claimants->len == 1 ? SIGHTING_TAKEN
                                                : SIGHTING_AMBIGUOUS;
    assign(sightings, sighting, sighting->state == SIGHTING_TAKEN ? claimants->pdata[0] : NULL);
    if (sighting->state != before)
        warn(sightings, sighting);
}

static void fill(struct sightings *sightings, struct holder *holder)
{
    holder->dirty = false;
    holder_fill(holder, sightings->node);
    sightings->callbacks.changed(sightings->callbacks.userdata, &holder->key);
}

bool sightings_settle(struct sightings *sightings)
{
    while (sightings->unsettled->len > 0)
        settle(sightings,
               g_ptr_array_remove_index_fast(sightings->unsettled, sightings->unsettled->len - 1));
    bool any = sightings->unseated->len > 0;
    while (sightings->unseated->len > 0)
        fill(sightings,
             g_ptr_array_remove_index_fast(sightings->unseated, sightings->unseated->len - 1));
    return any;
}

const struct sighting *sightings_find(const struct sightings *sightings,
                                      const struct holder_key *key, uint32_t index)
{
    const struct holder *holder = find_holder(sightings, key);
    return holder && index < holder->seats->len ? holder->seats->pdata[index] : NULL;
}

const struct sighting *sightings_ignored(const struct sightings *sightings,
                                         const struct holder_key *key, uint32_t index)
{
    const struct holder *holder = find_holder(sightings, key);
    const GPtrArray *met = holder ? meetings_sightings(sightings->meetings, key) : NULL;
    for (guint i = 0; met && i < met->len; i++) {
        const struct sighting *sighting = met->pdata[i];
        if (sighting->state != SIGHTING_AMBIGUOUS && sighting->state != SIGHTING_REFUSED)
            continue;
        int64_t seat = sighting_seat(sighting, holder, sightings->node);
        if (seat == SIGHTING_ANY_SEAT || seat == (int64_t)index)
            return sighting;
    }
    return NULL;
}

void sightings_each(const struct sightings *sightings,
                    void (*each)(void *userdata, const struct sighting *sighting), void *userdata)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, sightings->files);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const GPtrArray *list = value;
        for (guint i = 0; i < list->len; i++)
            each(userdata, list->pdata[i]);
    }
}
