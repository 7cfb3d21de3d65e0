/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One table of meetings. A meeting is a text that sightings and holders have in common: a prefix of
 * the sighting's name that is the whole name of the holder; or an address, which only sightings
 * have. When one comes or goes, only what it meets is resolved again.
 */
#include "sightings_private.h"

#include <string.h>

#include "labels.h"
#include "lib/util/hash.h"
#include "sighting_names.h"

static guint meeting_hash(gconstpointer meeting)
{
    return hash_pointer(((const struct meeting *)meeting)->text);
}

static gboolean meeting_equal(gconstpointer a, gconstpointer b)
{
    return ((const struct meeting *)a)->text == ((const struct meeting *)b)->text;
}

static void meeting_free(gpointer data)
{
    struct meeting *meeting = data;
    name_unref(meeting->text);
    g_ptr_array_unref(meeting->sightings);
    g_ptr_array_unref(meeting->holders);
    g_free(meeting);
}

static guint holder_hash(gconstpointer data)
{
    const struct holder_key *key = &((const struct holder *)data)->key;
    return hash_text(key->name) ^ hash_pointer(key->ns) ^ key->kind * 0x9e3779b9u;
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
    sightings->files =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    sightings->meetings = g_hash_table_new_full(meeting_hash, meeting_equal, meeting_free, NULL);
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
    g_hash_table_unref(sightings->holders);
    g_ptr_array_unref(sightings->unsettled);
    g_ptr_array_unref(sightings->unseated);
    g_free(sightings->node);
    g_free(sightings);
    return NULL;
}

static struct meeting *find_meeting(const struct sightings *sightings, const char *interned)
{
    return g_hash_table_lookup(sightings->meetings, &(struct meeting){.text = interned});
}

const struct meeting *sightings_meeting(const struct sightings *sightings, const char *text,
                                        size_t length)
{
    const char *interned = name_intern(text, length);
    const struct meeting *meeting = find_meeting(sightings, interned);
    name_unref(interned);
    return meeting;
}

/* The meeting of a text, created if it is new. Takes over the reference. */
static struct meeting *need_meeting(struct sightings *sightings, const char *interned)
{
    struct meeting *meeting = find_meeting(sightings, interned);
    if (meeting) {
        name_unref(interned);
        return meeting;
    }
    meeting = g_new0(struct meeting, 1);
    meeting->text = interned;
    meeting->sightings = g_ptr_array_new();
    meeting->holders = g_ptr_array_new();
    g_hash_table_add(sightings->meetings, meeting);
    return meeting;
}

static void leave_meeting(struct sightings *sightings, struct meeting *meeting)
{
    if (meeting->sightings->len == 0 && meeting->holders->len == 0)
        g_hash_table_remove(sightings->meetings, meeting);
}

static void mark(struct sightings *sightings, struct sighting *sighting)
{
    if (sighting->dirty)
        return;
    sighting->dirty = true;
    g_ptr_array_add(sightings->unsettled, sighting);
}

static void mark_all(struct sightings *sightings, const struct meeting *meeting)
{
    for (guint i = 0; i < meeting->sightings->len; i++)
        mark(sightings, meeting->sightings->pdata[i]);
}

static void unseat(struct sightings *sightings, struct holder *holder)
{
    if (holder->dirty)
        return;
    holder->dirty = true;
    g_ptr_array_add(sightings->unseated, holder);
}

/* No name of an object begins with this. */
const char *sightings_address_text(const struct address *address)
{
    char text[ADDRESS_TEXT_MAX + 1] = "@";
    address_format(address, text + 1);
    return name_intern(text, sizeof text);
}

typedef void (*meeting_fn)(struct sightings *sightings, struct sighting *sighting,
                           const char *interned, bool is_address);

/* Calls `each` with every text at which the sighting may meet another; a reference passes on. */
static void each_text(struct sightings *sightings, struct sighting *sighting, meeting_fn each)
{
    size_t lengths[SIGHTING_STEMS_MAX];
    unsigned n = sighting_stems(sighting, sightings->node, lengths);
    for (unsigned i = 0; i < n; i++)
        each(sightings, sighting, name_intern(sighting->name, lengths[i]), false);
    for (unsigned i = 0; i < sighting->n_addresses; i++)
        each(sightings, sighting, sightings_address_text(&sighting->addresses[i]), true);
}

static void join(struct sightings *sightings, struct sighting *sighting, const char *interned,
                 bool is_address)
{
    struct meeting *meeting = need_meeting(sightings, interned);
    if (is_address) /* which may no longer be theirs */
        mark_all(sightings, meeting);
    g_ptr_array_add(meeting->sightings, sighting);
}

static void part(struct sightings *sightings, struct sighting *sighting, const char *interned,
                 bool is_address)
{
    struct meeting *meeting = need_meeting(sightings, interned);
    g_ptr_array_remove_fast(meeting->sightings, sighting);
    if (is_address)
        mark_all(sightings, meeting);
    leave_meeting(sightings, meeting);
}

static void tell_stated(const struct sightings *sightings, const struct sighting *sighting,
                        bool stated)
{
    if (sighting->runtime == RUNTIME_KUBELET) /* a container may have written it */
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
    each_text(sightings, sighting, join);
    tell_stated(sightings, sighting, true);
    mark(sightings, sighting);
}

/* Its holder's seats may still lead to it until they are filled again, so it goes from there too.
 */
static void go(struct sightings *sightings, struct sighting *sighting)
{
    if (sighting->holder)
        g_ptr_array_set_size(sighting->holder->seats, 0);
    sightings_assign(sightings, sighting, NULL);
    each_text(sightings, sighting, part);
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
        each_text(sightings, all->pdata[i], part);
    g_free(sightings->node);
    sightings->node = g_strdup(node);
    for (guint i = 0; i < all->len; i++) {
        each_text(sightings, all->pdata[i], join);
        mark(sightings, all->pdata[i]);
    }
    g_ptr_array_unref(all);
}

void sightings_set_node(struct sightings *sightings, const char *node)
{
    if (g_strcmp0(sightings->node, node) != 0)
        part_and_join(sightings, node);
}

static guint content_hash(gconstpointer data)
{
    const struct sighting *sighting = data;
    return hash_pointer(sighting->name) ^ hash_pointer(sighting->ns);
}

static gboolean content_equal(gconstpointer a, gconstpointer b)
{
    return sighting_equal(a, b);
}

/* Splits the new content of a file: sightings that were there before are kept and removed from
 * `old`, the others are added to `fresh`. Duplicates count once. */
static GPtrArray *sort_out(GHashTable *old, GPtrArray *now, GPtrArray *fresh)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(content_hash, content_equal);
    GPtrArray *kept = g_ptr_array_sized_new(now->len);
    for (guint i = 0; i < now->len; i++) {
        struct sighting *sighting = now->pdata[i];
        gpointer same = NULL;
        if (g_hash_table_contains(seen, sighting)) {
            sighting_free(sighting);
            continue;
        }
        if (g_hash_table_steal_extended(old, sighting, &same, NULL)) {
            sighting_free(sighting);
            sighting = same;
        } else {
            g_ptr_array_add(fresh, sighting);
        }
        g_hash_table_add(seen, sighting);
        g_ptr_array_add(kept, sighting);
    }
    g_ptr_array_unref(now);
    return kept;
}

void sightings_replace(struct sightings *sightings, const char *path, GPtrArray *now)
{
    g_autoptr(GHashTable) old = g_hash_table_new(content_hash, content_equal);
    g_autoptr(GPtrArray) fresh = g_ptr_array_new();
    const GPtrArray *before = g_hash_table_lookup(sightings->files, path);
    GHashTableIter iter;
    gpointer gone;
    for (guint i = 0; before && i < before->len; i++)
        g_hash_table_add(old, before->pdata[i]);
    GPtrArray *kept = now ? sort_out(old, now, fresh) : NULL;
    g_hash_table_iter_init(&iter, old);
    while (g_hash_table_iter_next(&iter, &gone, NULL))
        go(sightings, gone);
    for (guint i = 0; i < fresh->len; i++)
        come(sightings, fresh->pdata[i]);
    if (kept)
        g_hash_table_insert(sightings->files, g_strdup(path), kept);
    else
        g_hash_table_remove(sightings->files, path);
}

struct holder *sightings_holder(const struct sightings *sightings, const struct holder_key *key)
{
    return g_hash_table_lookup(sightings->holders, &(struct holder){.key = *key});
}

/* Where it meets sightings; a reference is returned. */
static const char *stem_of(const struct holder *holder)
{
    return name_intern(holder->key.name, SIGHTING_STEM_MAX);
}

static void holder_go(struct sightings *sightings, struct holder *holder)
{
    struct meeting *meeting = need_meeting(sightings, stem_of(holder));
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
    struct meeting *meeting = need_meeting(sightings, stem_of(holder));
    g_ptr_array_add(meeting->holders, holder);
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
    mark_all(sightings, sightings_meeting(sightings, holder->key.name, SIGHTING_STEM_MAX));
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
