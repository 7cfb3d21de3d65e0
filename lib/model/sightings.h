/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sightings and the objects whose pods they are. Both sides are told as they come and go; whose a
 * sighting is, is found out for those alone that a change concerns. A holder is an object that has
 * pods of which no manifest says the address: a Pod, or a workload that is expanded.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "object.h"
#include "sighting.h"

struct sightings;

/* Identifies a holder; the strings are interned. */
struct holder_key {
    uint8_t kind; /* OBJECT_POD or a workload's */
    const char *namespace, *name;
};

/* What it is to have. */
struct holder_pods {
    uint32_t n;       /* pods; 0: it is no holder any more */
    uint32_t ordinal; /* of the first pod of a StatefulSet */
    bool indexed;     /* a Job whose pods have an index in their names */
};

struct holder {
    struct holder_key key;
    struct holder_pods pods;
    GPtrArray *assigned; /* struct sighting *: that are its */
    GPtrArray *seats;    /* struct sighting *, by the pod's index; NULL: not seen */
    bool dirty;          /* which pod is which has to be found out again */
};

struct sightings_callbacks {
    /* Its pods are others, or have other addresses, than at the last call. */
    void (*changed)(void *userdata, const struct holder_key *key);
    /* A sighting states the address, or does so no longer. */
    void (*stated)(void *userdata, const struct address *address, bool stated);
    void *userdata;
};

struct sightings *sightings_new(const struct sightings_callbacks *callbacks);
struct sightings *sightings_free(struct sightings *sightings); /* returns NULL; tells nothing */

/* The name of this node, which the names of static pods end with. NULL: there are none. */
void sightings_set_node(struct sightings *sightings, const char *node);

/* What a file of a runtime says now (struct sighting *, ownership passes on), instead of what it
 * said before; NULL: nothing any more. One that says the same as before costs a comparison. */
void sightings_replace(struct sightings *sightings, const char *path, GPtrArray *now);

/* An object comes, changes or goes (`pods->n` 0). */
void sightings_hold(struct sightings *sightings, const struct holder_key *key,
                    const struct holder_pods *pods);

/* Finds out what follows; `changed` is called for every holder that it concerns. False: nothing
 * did. */
bool sightings_settle(struct sightings *sightings);

/* The sighting of the pod with this index; NULL: it was not seen. `name` need not be interned. */
const struct sighting *sightings_find(const struct sightings *sightings,
                                      const struct holder_key *key, uint32_t index);

/* One that is ambiguous, and that this pod might be; NULL: there is none. */
const struct sighting *sightings_contested(const struct sightings *sightings,
                                           const struct holder_key *key, uint32_t index);

/* "Deployment shop/web or Deployment test/web": who might have an ambiguous sighting. */
char *sightings_claimants(const struct sightings *sightings, const struct sighting *sighting);

/* All there are, in no order. */
void sightings_each(const struct sightings *sightings,
                    void (*each)(void *userdata, const struct sighting *sighting), void *userdata);
