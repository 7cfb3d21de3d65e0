/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that the checked files say, as one world: each object with the places in its file that there
 * may be something to say about, and, of several objects with one identity, the one that counts.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/model/namespace.h"
#include "lib/model/object.h"
#include "lib/util/diagnostic.h"
#include "lib/yaml/tree.h"

struct target { /* of a Service's port: where its traffic goes */
    struct position position;
    char *name;      /* NULL: a number */
    uint16_t number; /* targetPort, else the port's own */
    uint8_t protocol;
    bool implied; /* there is no targetPort */
};

struct record {
    struct selection selection; /* first; of a Service in force: what it selects */
    struct object *object;
    struct position name, namespace, selector, service_name, subdomain, external_name, cluster_ip;
    GArray *targets;        /* struct target, of a Service; NULL for none */
    GPtrArray *diagnostics; /* struct diagnostic *: found in its tree */
    bool partial;           /* the selection is wider than the selector */
};

struct record *record_new(const struct object *object);
void record_free(void *data); /* and its object */

/* A custom resource for which an operator may create pods. */
struct maker {
    char *namespace; /* NULL: any */
    char *name;
    const struct labels *labels[4]; /* that its pods may have; NULL after the last */
};
void maker_free(void *data);

struct world;

struct world *world_new(void);
struct world *world_free(struct world *world); /* returns NULL */

/* Adds a record, which is taken over; it wins over earlier ones of the same identity, unless the
 * API refuses it and not them. */
void world_add(struct world *world, struct record *record);

/* Adds one, which is taken over. */
void world_add_maker(struct world *world, struct maker *maker);

/* May one of them have created pods with these labels? */
bool world_makes(const struct world *world, const char *namespace, const struct labels *selector);

/* Everything was added: puts what is in force into the indexes. */
void world_index(struct world *world);

/* All records in the order in which they were added, in force or not. */
const GPtrArray *world_records(const struct world *world);

/* The record in effect of this identity, NULL if there is none. */
const struct record *world_find(const struct world *world, enum object_kind kind,
                                const char *namespace, const char *name);
bool world_is_in_force(const struct world *world, const struct record *record);

/* After world_index; `name` is interned. NULL: nothing is in it. */
const struct namespace *world_namespace(const struct world *world, const char *name);
void world_each_namespace(const struct world *world,
                          void (*each)(void *userdata, const struct namespace *namespace),
                          void *userdata);

/* Is there time for so many comparisons more, to say what was probably meant? There is for millions
 * in all, so that a world full of mistakes takes no longer than it must. */
bool world_affords(struct world *world, size_t comparisons);

/* What a Pod, or the template of a workload, says of pods; NULL for other kinds. */
const struct pod_spec *world_pod_spec(const struct object *object);
