/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table by text. Most meetings have one list only: there are many more of them than of pods that
 * run here.
 */
#include "meeting.h"

#include <string.h>

#include "lib/util/compare.h"
#include "lib/util/hash.h"
#include "object.h"
#include "sighting_names.h"

#define CLAIMANTS_MAX 4u /* that a message names */

struct meeting {
    const char *text; /* `own`, but for one to look it up with */
    size_t length;
    GPtrArray *sightings; /* struct sighting *; NULL: there has been none yet */
    GPtrArray *holders;   /* struct holder *; likewise */
    char own[];
};

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

GHashTable *meetings_new(void)
{
    return g_hash_table_new_full(meeting_hash, meeting_equal, meeting_free, NULL);
}

static struct meeting *find(GHashTable *meetings, const char *text, size_t length)
{
    const struct meeting probe = {.text = text, .length = length};
    return g_hash_table_lookup(meetings, &probe);
}

/* Created if it is new. */
static struct meeting *get(GHashTable *meetings, const char *text, size_t length)
{
    struct meeting *meeting = find(meetings, text, length);
    if (meeting)
        return meeting;
    meeting = g_malloc0(sizeof *meeting + length);
    meeting->text = memcpy(meeting->own, text, length);
    meeting->length = length;
    g_hash_table_add(meetings, meeting);
    return meeting;
}

static guint count(const GPtrArray *list)
{
    return list ? list->len : 0;
}

static void add(GPtrArray **listp, gpointer item)
{
    if (!*listp)
        *listp = g_ptr_array_new();
    g_ptr_array_add(*listp, item);
}

static void remove_from(GHashTable *meetings, struct meeting *meeting, GPtrArray *list,
                        gpointer item)
{
    g_ptr_array_remove_fast(list, item);
    if (count(meeting->sightings) == 0 && count(meeting->holders) == 0)
        g_hash_table_remove(meetings, meeting);
}

void meetings_join(GHashTable *meetings, struct sighting *sighting, const char *node)
{
    size_t lengths[SIGHTING_STEMS_MAX];
    unsigned n = sighting_stems(sighting, node, lengths);
    for (unsigned i = 0; i < n; i++) {
        sighting->meetings[i] = get(meetings, sighting->name, lengths[i]);
        add(&sighting->meetings[i]->sightings, sighting);
    }
    sighting->n_meetings = (uint8_t)n;
}

void meetings_leave(GHashTable *meetings, struct sighting *sighting)
{
    for (unsigned i = 0; i < sighting->n_meetings; i++)
        remove_from(meetings, sighting->meetings[i], sighting->meetings[i]->sightings, sighting);
}

static struct meeting *find_of(GHashTable *meetings, const struct holder_key *key)
{
    return find(meetings, key->name, strnlen(key->name, SIGHTING_STEM_MAX));
}

const GPtrArray *meetings_sightings(GHashTable *meetings, const struct holder_key *key)
{
    const struct meeting *meeting = find_of(meetings, key);
    return meeting ? meeting->sightings : NULL;
}

void meetings_join_holder(GHashTable *meetings, struct holder *holder)
{
    size_t length = strnlen(holder->key.name, SIGHTING_STEM_MAX);
    add(&get(meetings, holder->key.name, length)->holders, holder);
}

void meetings_leave_holder(GHashTable *meetings, struct holder *holder)
{
    struct meeting *meeting = find_of(meetings, &holder->key);
    remove_from(meetings, meeting, meeting->holders, holder);
}

GPtrArray *sighting_claimants(const struct sighting *sighting, const char *node, guint max)
{
    GPtrArray *claimants = g_ptr_array_new();
    for (unsigned i = 0; i < sighting->n_meetings; i++) {
        const GPtrArray *holders = sighting->meetings[i]->holders;
        for (guint j = 0; j < count(holders) && claimants->len < max; j++)
            if (sighting_seat(sighting, holders->pdata[j], node) != SIGHTING_NO_SEAT)
                g_ptr_array_add(claimants, holders->pdata[j]);
    }
    return claimants;
}

char *describe_claimants(const struct sighting *sighting, const char *node)
{
    g_autoptr(GPtrArray) claimants = sighting_claimants(sighting, node, G_MAXUINT);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%s runs %s, which could belong to ",
                           runtime_name(sighting->runtime), sighting->name);
    for (guint i = 0; i < claimants->len; i++) {
        const struct holder_key *key = &((const struct holder *)claimants->pdata[i])->key;
        g_ptr_array_add(
            names, g_strdup_printf("%s %s/%s", object_kind_name(key->kind), key->ns, key->name));
    }
    g_ptr_array_sort(names, compare_texts);
    for (guint i = 0; i < names->len && i < CLAIMANTS_MAX; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " or " : "", (const char *)names->pdata[i]);
    if (names->len > CLAIMANTS_MAX)
        g_string_append_printf(text, " or %u more", names->len - CLAIMANTS_MAX);
    return g_string_free(text, FALSE);
}
