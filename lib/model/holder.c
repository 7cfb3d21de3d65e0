/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which pod a sighting is follows from its name, unless a controller chose the name at random.
 */
#include "holder.h"

#include <string.h>

#include "labels.h"
#include "lib/util/hash.h"
#include "sighting_names.h"

struct holder *holder_new(const struct holder_key *key)
{
    struct holder *holder = g_new0(struct holder, 1);
    holder->key = (struct holder_key){
        .kind = key->kind,
        .ns = name_ref(key->ns),
        .name = name_intern(key->name),
    };
    holder->assigned = g_ptr_array_new();
    holder->seats = g_ptr_array_new();
    return holder;
}

void holder_free(gpointer data)
{
    struct holder *holder = data;
    name_unref(holder->key.ns);
    name_unref(holder->key.name);
    g_ptr_array_unref(holder->assigned);
    g_ptr_array_unref(holder->seats);
    g_free(holder);
}

guint holder_hash(gconstpointer data)
{
    const struct holder_key *key = &((const struct holder *)data)->key;
    return hash_text(key->name) ^ g_direct_hash(key->ns) ^ key->kind * 0x9e3779b9u;
}

gboolean holder_equal(gconstpointer a, gconstpointer b)
{
    const struct holder_key *x = &((const struct holder *)a)->key,
                            *y = &((const struct holder *)b)->key;
    return x->kind == y->kind && x->ns == y->ns && strcmp(x->name, y->name) == 0;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    const struct sighting *x = *(const struct sighting *const *)a,
                          *y = *(const struct sighting *const *)b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : sighting_compare(x, y);
}

static gint by_age(gconstpointer a, gconstpointer b)
{
    const struct sighting *x = *(const struct sighting *const *)a,
                          *y = *(const struct sighting *const *)b;
    if (x->since != y->since)
        return x->since > y->since ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void fill_seat(struct holder *holder, uint32_t seat, struct sighting *sighting)
{
    if (holder->seats->len <= seat)
        g_ptr_array_set_size(holder->seats, (gint)seat + 1);
    const struct sighting *there = holder->seats->pdata[seat];
    if (!there || sighting_compare(sighting, there) < 0)
        holder->seats->pdata[seat] = sighting;
}

/* Of several sightings of one pod the best, then the youngest pods first: a controller that
 * replaces pods ends the old ones when the new ones are there. */
static void fill_any(struct holder *holder, GPtrArray *drawn)
{
    guint n = 0;
    g_ptr_array_sort(drawn, by_name);
    for (guint i = 0; i < drawn->len; i++) {
        const struct sighting *last = n > 0 ? drawn->pdata[n - 1] : NULL;
        if (!last || last->name != ((struct sighting *)drawn->pdata[i])->name)
            drawn->pdata[n++] = drawn->pdata[i];
    }
    g_ptr_array_set_size(drawn, (gint)n);
    g_ptr_array_sort(drawn, by_age);
    for (guint i = 0, seat = 0; i < drawn->len && seat < holder->pods.n; seat++) {
        bool is_free = seat >= holder->seats->len || !holder->seats->pdata[seat];
        if (is_free)
            fill_seat(holder, seat, drawn->pdata[i++]);
    }
}

void holder_fill(struct holder *holder, const char *node)
{
    g_autoptr(GPtrArray) drawn = g_ptr_array_new();
    g_ptr_array_set_size(holder->seats, 0);
    for (guint i = 0; i < holder->assigned->len; i++) {
        struct sighting *sighting = holder->assigned->pdata[i];
        int64_t seat = sighting_seat(sighting, holder, node);
        if (seat == SIGHTING_ANY_SEAT)
            g_ptr_array_add(drawn, sighting);
        else if (seat != SIGHTING_NO_SEAT)
            fill_seat(holder, (uint32_t)seat, sighting);
    }
    if (drawn->len > 0)
        fill_any(holder, drawn);
}
