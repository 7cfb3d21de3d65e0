/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of the sightings, shared by their files: sightings.c (adding and removing),
 * sightings_addresses.c and sightings_settle.c (assigning).
 */
#pragma once

#include "sightings.h"

/* A text that a sighting and a holder have in common: a prefix of the sighting's name and the whole
 * of the holder's, or its first SIGHTING_STEM_MAX characters. */
struct meeting {
    const char *text; /* `own`, but for one to look it up with */
    size_t length;
    GPtrArray *sightings; /* struct sighting *; NULL: there has been none yet */
    GPtrArray *holders;   /* struct holder *; likewise */
    char own[];
};

struct sightings {
    struct sightings_callbacks callbacks;
    GHashTable *files;     /* which file -> GPtrArray of struct sighting *, sorted */
    GHashTable *meetings;  /* set of struct meeting, by text */
    GHashTable *addresses; /* struct address -> the first struct sighting with it */
    GHashTable *holders;   /* set of struct holder, by key */
    GPtrArray *unsettled;  /* struct sighting *: each is dirty */
    GPtrArray *unseated;   /* struct holder *: each is dirty */
    char *node;
};

static inline guint sightings_count(const GPtrArray *list)
{
    return list ? list->len : 0;
}

/* NULL: nothing meets there. */
struct meeting *sightings_meeting(const struct sightings *sightings, const char *text,
                                  size_t length);

/* It has to be resolved again. */
void sightings_mark(struct sightings *sightings, struct sighting *sighting);

/* --- sightings_addresses.c --- */

GHashTable *sightings_addresses_new(void);

/* The first sighting with this address, and the next one; NULL: none. */
struct sighting *sightings_at(const struct sightings *sightings, const struct address *address);
struct sighting *sighting_next(const struct sighting *sighting, const struct address *address);

/* A sighting comes or goes: others with its addresses are marked. */
void sightings_join_addresses(struct sightings *sightings, struct sighting *sighting);
void sightings_leave_addresses(struct sightings *sightings, struct sighting *sighting);

/* --- sightings.c --- */

/* NULL: it holds nothing. */
struct holder *sightings_holder(const struct sightings *sightings, const struct holder_key *key);

/* Assigns a sighting to a holder, or to none (NULL). */
void sightings_assign(struct sightings *sightings, struct sighting *sighting,
                      struct holder *holder);
