/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matches sightings with objects. Both come and go independently; only what a change affects is
 * matched again.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "holder.h"
#include "object.h"
#include "sighting.h"

struct sightings;

struct sightings_callbacks {
    /* Its pods or their addresses have changed. */
    void (*changed)(void *userdata, const struct holder_key *key);
    /* A sighting with this address has come or gone. */
    void (*stated)(void *userdata, const struct address *address, bool stated);
    void *userdata;
};

struct sightings *sightings_new(const struct sightings_callbacks *callbacks);
struct sightings *sightings_free(struct sightings *sightings); /* returns NULL; reports nothing */

/* The name of this node, which the names of static pods end with. NULL: there are none. */
void sightings_set_node(struct sightings *sightings, const char *node);

/* Replaces the sightings of one runtime file (struct sighting *, ownership passes on); NULL: none.
 * `file` identifies it. An unchanged sighting costs comparisons only. */
void sightings_replace(struct sightings *sightings, const void *file, GPtrArray *now);

/* An object was added, changed or removed (`pods->n` 0). */
void sightings_hold(struct sightings *sightings, const struct holder_key *key,
                    const struct holder_pods *pods);

/* Resolves what has changed and calls `changed` for every affected holder. Returns whether there
 * was any. */
bool sightings_settle(struct sightings *sightings);

/* The sighting of the pod with this index; NULL: not seen. `name` need not be interned. */
const struct sighting *sightings_find(const struct sightings *sightings,
                                      const struct holder_key *key, uint32_t index);

/* A sighting that could be this pod and is ignored, as ambiguous or refused; NULL: none. */
const struct sighting *sightings_ignored(const struct sightings *sightings,
                                         const struct holder_key *key, uint32_t index);

/* Why a sighting is ignored, "podman runs web-pod, which could belong to ..."; NULL: it is neither
 * ambiguous nor refused. */
char *sightings_why_ignored(const struct sightings *sightings, const struct sighting *sighting);

/* All there are, in no order. */
void sightings_each(const struct sightings *sightings,
                    void (*each)(void *userdata, const struct sighting *sighting), void *userdata);
