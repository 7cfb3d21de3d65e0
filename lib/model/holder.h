/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A holder: an object with pods whose addresses no manifest states, a Pod or an expanded workload,
 * and which of its sightings is which of its pods.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sighting.h"

/* Identifies a holder; the strings are interned. */
struct holder_key {
    uint8_t kind; /* OBJECT_POD or a workload's */
    const char *ns, *name;
};

/* The pods that a holder should have. */
struct holder_pods {
    uint32_t n;       /* number of pods; 0: it is not a holder */
    uint32_t ordinal; /* of the first pod of a StatefulSet */
    bool indexed;     /* a Job whose pods have an index in their names */
};

struct holder {
    struct holder_key key;
    struct holder_pods pods;
    GPtrArray *assigned; /* struct sighting *: its own */
    GPtrArray *seats;    /* struct sighting *, by the pod's index; NULL: not seen */
    bool dirty;          /* its seats need to be filled again */
};

/* Without pods so far. */
struct holder *holder_new(const struct holder_key *key);
void holder_free(gpointer data);

/* For a set of holders, by key. */
guint holder_hash(gconstpointer data);
gboolean holder_equal(gconstpointer a, gconstpointer b);

/* Fills its seats again, from `assigned`. `node`: see sightings_set_node. */
void holder_fill(struct holder *holder, const char *node);
