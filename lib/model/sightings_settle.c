/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Resolves sightings: a sighting belongs to the only object that can have a pod of its name. Which
 * of the object's pods it is follows from the name, unless a controller chose the name at random.
 */
#include <string.h>

#include "labels.h"
#include "lib/util/log.h"
#include "sighting_names.h"
#include "sightings_private.h"

#define CLAIMANTS_MAX 4u /* that a message names */

/* The pod that has one of its addresses instead, and which one; NULL: none. Of two that are
 * attested the later one has it. What a container may have written takes nothing from other pods.
 */
static const struct sighting *find_owner(const struct sightings *sightings,
                                         const struct sighting *sighting,
                                         const struct address **addressp)
{
    for (unsigned i = 0; i < sighting->n_addresses; i++) {
        const struct address *address = *addressp = &sighting->addresses[i];
        const struct sighting *other = sightings_at(sightings, address);
        for (; other; other = sighting_next(other, address)) {
            bool is_same = other->name == sighting->name && other->ns == sighting->ns;
            bool is_later = !sighting->attested || other->since > sighting->since;
            if (!is_same && other->attested && is_later)
                return other;
        }
    }
    return NULL;
}

/* Calls `each` for every holder that may have the sighting, until it returns false. */
static void each_claimant(const struct sightings *sightings, const struct sighting *sighting,
                          bool (*each)(void *userdata, struct holder *holder), void *userdata)
{
    for (unsigned i = 0; i < sighting->n_meetings; i++) {
        const GPtrArray *holders = sighting->meetings[i]->holders;
        for (guint j = 0; j < sightings_count(holders); j++) {
            struct holder *holder = holders->pdata[j];
            if (sighting_seat(sighting, holder, sightings->node) != SIGHTING_NO_SEAT &&
                !each(userdata, holder))
                return;
        }
    }
}

struct claimants {
    struct holder *first;
    unsigned n;
};

static bool count_claimant(void *userdata, struct holder *holder)
{
    struct claimants *claimants = userdata;
    if (claimants->n++ == 0)
        claimants->first = holder;
    return claimants->n < 2;
}

static bool name_claimant(void *userdata, struct holder *holder)
{
    GPtrArray *names = userdata;
    g_ptr_array_add(names, g_strdup_printf("%s %s/%s", object_kind_name(holder->key.kind),
                                           holder->key.ns, holder->key.name));
    return true;
}

static gint compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "Deployment shop/web or Deployment test/web" */
static char *describe_claimants(const struct sightings *sightings, const struct sighting *sighting)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) text = g_string_new(NULL);
    each_claimant(sightings, sighting, name_claimant, names);
    g_ptr_array_sort(names, compare_texts);
    for (guint i = 0; i < names->len && i < CLAIMANTS_MAX; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " or " : "", (const char *)names->pdata[i]);
    if (names->len > CLAIMANTS_MAX)
        g_string_append_printf(text, " or %u more", names->len - CLAIMANTS_MAX);
    return g_strdup(text->str);
}

/* "pod shop/web" */
static char *describe_pod(const struct sighting *sighting)
{
    return g_strdup_printf("pod %s%s%s", sighting->ns ? sighting->ns : "", sighting->ns ? "/" : "",
                           sighting->name);
}

/* "the hosts file of pod shop/a has 10.0.0.1, the address of pod shop/b" */
static char *describe_refusal(const struct sightings *sightings, const struct sighting *sighting)
{
    const struct address *address = NULL;
    const struct sighting *owner = find_owner(sightings, sighting, &address);
    char text[ADDRESS_TEXT_MAX];
    if (!owner)
        return NULL;
    address_format(address, text);
    g_autofree char *pod = describe_pod(sighting), *other = describe_pod(owner);
    return g_strdup_printf("the hosts file of %s has %s, the address of %s", pod, text, other);
}

char *sightings_why_ignored(const struct sightings *sightings, const struct sighting *sighting)
{
    if (sighting->state == SIGHTING_REFUSED)
        return describe_refusal(sightings, sighting);
    if (sighting->state != SIGHTING_AMBIGUOUS)
        return NULL;
    g_autofree char *claimants = describe_claimants(sightings, sighting);
    return g_strdup_printf("%s runs %s, which could belong to %s", runtime_name(sighting->runtime),
                           sighting->name, claimants);
}

static void warn(const struct sightings *sightings, const struct sighting *sighting)
{
    g_autofree char *why = sightings_why_ignored(sightings, sighting);
    if (why)
        log_warning("%s; ignoring it", why);
}

static void settle(struct sightings *sightings, struct sighting *sighting)
{
    struct claimants claimants = {0};
    const struct address *address;
    enum sighting_state before = sighting->state;
    sighting->dirty = false;
    each_claimant(sightings, sighting, count_claimant, &claimants);
    if (claimants.n > 0 && find_owner(sightings, sighting, &address))
        sighting->state = sighting->attested ? SIGHTING_SUPERSEDED : SIGHTING_REFUSED;
    else
        sighting->state = claimants.n == 0   ? SIGHTING_UNKNOWN
                          : claimants.n == 1 ? SIGHTING_TAKEN
                                             : SIGHTING_AMBIGUOUS;
    sightings_assign(sightings, sighting,
                     sighting->state == SIGHTING_TAKEN ? claimants.first : NULL);
    if (sighting->state != before)
        warn(sightings, sighting);
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

static void seat_all(struct sightings *sightings, struct holder *holder)
{
    g_autoptr(GPtrArray) drawn = g_ptr_array_new();
    holder->dirty = false;
    g_ptr_array_set_size(holder->seats, 0);
    for (guint i = 0; i < holder->assigned->len; i++) {
        struct sighting *sighting = holder->assigned->pdata[i];
        int64_t seat = sighting_seat(sighting, holder, sightings->node);
        if (seat == SIGHTING_ANY_SEAT)
            g_ptr_array_add(drawn, sighting);
        else if (seat != SIGHTING_NO_SEAT)
            fill_seat(holder, (uint32_t)seat, sighting);
    }
    if (drawn->len > 0)
        fill_any(holder, drawn);
    sightings->callbacks.changed(sightings->callbacks.userdata, &holder->key);
}

bool sightings_settle(struct sightings *sightings)
{
    while (sightings->unsettled->len > 0)
        settle(sightings,
               g_ptr_array_remove_index_fast(sightings->unsettled, sightings->unsettled->len - 1));
    bool any = sightings->unseated->len > 0;
    while (sightings->unseated->len > 0)
        seat_all(sightings,
                 g_ptr_array_remove_index_fast(sightings->unseated, sightings->unseated->len - 1));
    return any;
}

const struct sighting *sightings_find(const struct sightings *sightings,
                                      const struct holder_key *key, uint32_t index)
{
    const struct holder *holder = sightings_holder(sightings, key);
    return holder && index < holder->seats->len ? holder->seats->pdata[index] : NULL;
}

const struct sighting *sightings_ignored(const struct sightings *sightings,
                                         const struct holder_key *key, uint32_t index)
{
    const struct holder *holder = sightings_holder(sightings, key);
    const struct meeting *meeting =
        holder ? sightings_meeting(sightings, key->name, strnlen(key->name, SIGHTING_STEM_MAX))
               : NULL;
    for (guint i = 0; meeting && i < sightings_count(meeting->sightings); i++) {
        const struct sighting *sighting = meeting->sightings->pdata[i];
        if (sighting->state != SIGHTING_AMBIGUOUS && sighting->state != SIGHTING_REFUSED)
            continue;
        int64_t seat = sighting_seat(sighting, holder, sightings->node);
        if (seat == SIGHTING_ANY_SEAT || seat == (int64_t)index)
            return sighting;
    }
    return NULL;
}
