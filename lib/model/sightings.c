/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table of meetings. A meeting is a text that sightings and holders have in common: a prefix of
 * the sighting's name that is the whole name of the holder. When one comes or goes, only what it
 * meets, or has an address in common with, is resolved again.
 */
#include "sightings_private.h"

#include <string.h>

#include "labels.h"
#include "lib/util/hash.h"
#include "sighting_names.h"

static guint meeting_hash(gconstpointer data)
{
    const struct meeting *meeting = data;
    return hash_bytes(meeting->text, meeting->length);
}

static gboolean meeting_equal(gconstpointer a, gconstpointer b)
{
    const struct meeting *x = a, *y = b;
    return x->length == y->length && memcmp(x->text, y->text, x->length) == 0;
}

static void meeting_free(gpointer data)
{
    struct meeting *meeting = data;
    g_clear_pointer(&meeting->sightings, g_ptr_array_unref);
    g_clear_pointer(&meeting->holders, g_ptr_array_unref);
    g_free(meeting);
}

static guint holder_hash(gconstpointer data)
{
    const struct holder_key *key = &((const struct holder *)data)->key;
    return hash_text(key->name) ^ g_direct_hash(key->ns) ^ key->kind * 0x9e3779b9u;
}

static gboolean holder_equal(gconstpointer a, gconstpointer b)
{
    const struct holder_key *x = &((const struct holder *)a)->key,
                            *y = &((const struct holder *)b)->key;
    return x->kind == y->kind && x->ns == y->ns && strcmp(x->name, y->name) == 0;
}

static void holder_free(gpointer data)
{
    struct holder *holder = data;
    name_unref(holder->key.ns);
    name_unref(holder->key.name);
    g_ptr_array_unref(holder->assigned);
    g_ptr_array_unref(holder->seats);
    g_free(holder);
}

struct sightings *sightings_new(const struct sightings_callbacks *callbacks)
{
    struct sightings *sightings = g_new0(struct sightings, 1);
    sightings->callbacks = *callbacks;
    sightings->files = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
    sightings->meetings = g_hash_table_new_full(meeting_hash, meeting_equal, meeting_free, NULL);
    sightings->addresses = sightings_addresses_new();
    sightings->holders = g_hash_table_new_full(holder_hash, holder_equal, holder_free, NULL);
    sightings->unsettled = g_ptr_array_new();
    sightings->unseated = g_ptr_array_new();
    return sightings;
}

static void free_sighting(gpointer sighting)
{
    sighting_free(sighting);
}

struct sightings *sightings_free(struct sightings *sightings)
{
    GHashTableIter iter;
    gpointer list;
    if (!sightings)
        return NULL;
    g_hash_table_iter_init(&iter, sightings->files);
    while (g_hash_table_iter_next(&iter, NULL, &list))
        g_ptr_array_set_free_func(list, free_sighting);
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

struct meeting *sightings_meeting(const struct sightings *sightings, const char *text,
                                  size_t length)
{
    const struct meeting probe = {.text = text, .length = length};
    return g_hash_table_lookup(sightings->meetings, &probe);
}

/* Created if it is new. */
static struct meeting *need_meeting(struct sightings *sightings, const char *text, size_t length)
{
    struct meeting *meeting = sightings_meeting(sightings, text, length);
    if (meeting)
        return meeting;
    meeting = g_malloc0(sizeof *meeting + length);
    meeting->text = memcpy(meeting->own, text, length);
    meeting->length = length;
    g_hash_table_add(sightings->meetings, meeting);
    return meeting;
}

/* Most meetings have one list only: there are many more of them than of pods that run here. */
static void add_to(GPtrArray **listp, gpointer item)
{
    if (!*listp)
        *listp = g_ptr_array_new();
    g_ptr_array_add(*listp, item);
}

static void leave_meeting(struct sightings *sightings, struct meeting *meeting)
{
    if (sightings_count(meeting->sightings) == 0 && sightings_count(meeting->holders) == 0)
        g_hash_table_remove(sightings->meetings, meeting);
}

void sightings_mark(struct sightings *sightings, struct sighting *sighting)
{
    if (sighting->dirty)
        return;
    sighting->dirty = true;
    g_ptr_array_add(sightings->unsettled, sighting);
}

static void mark_all(struct sightings *sightings, const struct meeting *meeting)
{
    for (guint i = 0; i < sightings_count(meeting->sightings); i++)
        sightings_mark(sightings, meeting->sightings->pdata[i]);
}

static void unseat(struct sightings *sightings, struct holder *holder)
{
    if (holder->dirty)
        return;
    holder->dirty = true;
    g_ptr_array_add(sightings->unseated, holder);
}

static void join(struct sightings *sightings, struct sighting *sighting)
{
    size_t lengths[SIGHTING_STEMS_MAX];
    unsigned n = sighting_stems(sighting, sightings->node, lengths);
    for (unsigned i = 0; i < n; i++) {
        sighting->meetings[i] = need_meeting(sightings, sighting->name, lengths[i]);
        add_to(&sighting->meetings[i]->sightings, sighting);
    }
    sighting->n_meetings = (uint8_t)n;
}

static void part(struct sightings *sightings, struct sighting *sighting)
{
    for (unsigned i = 0; i < sighting->n_meetings; i++) {
        g_ptr_array_remove_fast(sighting->meetings[i]->sightings, sighting);
        leave_meeting(sightings, sighting->meetings[i]);
    }
}

static void tell_stated(const struct sightings *sightings, const struct sighting *sighting,
                        bool stated)
{
    if (!sighting->attested)
        return;
    for (unsigned i = 0; i < sighting->n_addresses; i++)
        sightings->callbacks.stated(sightings->callbacks.userdata, &sighting->addresses[i], stated);
}

void sightings_assign(struct sightings *sightings, struct sighting *sighting, struct holder *holder)
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
    join(sightings, sighting);
    sightings_join_addresses(sightings, sighting);
    tell_stated(sightings, sighting, true);
    sightings_mark(sightings, sighting);
}

/* Its holder's seats may still lead to it until they are filled again, so it goes from there too.
 */
static void go(struct sightings *sightings, struct sighting *sighting)
{
    if (sighting->holder)
        g_ptr_array_set_size(sighting->holder->seats, 0);
    sightings_assign(sightings, sighting, NULL);
    part(sightings, sighting);
    sightings_leave_addresses(sightings, sighting);
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
        part(sightings, all->pdata[i]);
    g_free(sightings->node);
    sightings->node = g_strdup(node);
    for (guint i = 0; i < all->len; i++) {
        join(sightings, all->pdata[i]);
        sightings_mark(sightings, all->pdata[i]);
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

struct holder *sightings_holder(const struct sightings *sightings, const struct holder_key *key)
{
    return g_hash_table_lookup(sightings->holders, &(struct holder){.key = *key});
}

/* Where it meets sightings. */
static struct meeting *meeting_of(struct sightings *sightings, const struct holder *holder)
{
    return need_meeting(sightings, holder->key.name, strnlen(holder->key.name, SIGHTING_STEM_MAX));
}

static void holder_go(struct sightings *sightings, struct holder *holder)
{
    struct meeting *meeting = meeting_of(sightings, holder);
    while (holder->assigned->len > 0) {
        struct sighting *sighting = holder->assigned->pdata[holder->assigned->len - 1];
        sightings_assign(sightings, sighting, NULL);
    }
    mark_all(sightings, meeting);
    g_ptr_array_remove_fast(meeting->holders, holder);
    leave_meeting(sightings, meeting);
    if (holder->dirty)
        g_ptr_array_remove_fast(sightings->unseated, holder);
    g_hash_table_remove(sightings->holders, holder);
}

static struct holder *holder_come(struct sightings *sightings, const struct holder_key *key)
{
    struct holder *holder = g_new0(struct holder, 1);
    holder->key = (struct holder_key){
        .kind = key->kind,
        .ns = name_ref(key->ns),
        .name = name_intern(key->name, strlen(key->name)),
    };
    holder->assigned = g_ptr_array_new();
    holder->seats = g_ptr_array_new();
    g_hash_table_add(sightings->holders, holder);
    struct meeting *meeting = meeting_of(sightings, holder);
    add_to(&meeting->holders, holder);
    return holder;
}

static bool pods_equal(const struct holder_pods *a, const struct holder_pods *b)
{
    return a->n == b->n && a->ordinal == b->ordinal && a->indexed == b->indexed;
}

void sightings_hold(struct sightings *sightings, const struct holder_key *key,
                    const struct holder_pods *pods)
{
    struct holder *holder = sightings_holder(sightings, key);
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
    mark_all(sightings, meeting_of(sightings, holder));
    if (holder->assigned->len > 0)
        unseat(sightings, holder);
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
