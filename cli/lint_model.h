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

struct port_target { /* of a Service's port: where its traffic goes */
    struct position position;
    char *name;      /* NULL: a number */
    uint16_t number; /* targetPort, else the port's own */
    uint8_t protocol;
    bool implied; /* there is no targetPort */
};

struct lint_record {
    struct selection selection; /* first; of a Service in force: what it selects */
    struct object *object;
    struct position name, ns, selector, service_name, subdomain, external_name, cluster_ip;
    GArray *targets;        /* struct port_target, of a Service; NULL for none */
    GPtrArray *diagnostics; /* struct diagnostic *: found in its tree */
    bool partial;           /* the selection is wider than the selector */
};

struct lint_record *lint_record_new(const struct object *object);
void lint_record_free(void *data); /* and its object */

/* Adds a warning to its diagnostics. */
void lint_record_warn(struct lint_record *record, const char *rule, struct position position,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A custom resource for which an operator may create pods. */
struct maker {
    char *ns; /* NULL: any */
    char *name;
    const struct labels *labels[4]; /* that its pods may have; NULL after the last */
};
void maker_free(void *data);

struct lint_model;

struct lint_model *lint_model_new(void);
struct lint_model *lint_model_free(struct lint_model *model); /* returns NULL */

/* Adds a record, which is taken over; it wins over earlier ones of the same identity, unless the
 * API refuses it and not them. */
void lint_model_add(struct lint_model *model, struct lint_record *record);

/* Adds one, which is taken over. */
void lint_model_add_maker(struct lint_model *model, struct maker *maker);

/* May one of them have created pods with these labels? */
bool lint_model_makes(const struct lint_model *model, const char *ns,
                      const struct labels *selector);

/* Everything was added: puts what is in force into the indexes. */
void lint_model_index(struct lint_model *model);

/* All records in the order in which they were added, in force or not. */
const GPtrArray *lint_model_records(const struct lint_model *model);

/* The record in effect of this identity, NULL if there is none. */
const struct lint_record *lint_model_find(const struct lint_model *model, enum object_kind kind,
                                          const char *ns, const char *name);
bool lint_model_is_in_force(const struct lint_model *model, const struct lint_record *record);

/* After lint_model_index; `name` is interned. NULL: nothing is in it. */
const struct ns *lint_model_namespace(const struct lint_model *model, const char *name);
void lint_model_each_namespace(const struct lint_model *model,
                               void (*each)(void *userdata, const struct ns *ns), void *userdata);

/* Is there time for so many comparisons more, to say what was probably meant? There is for millions
 * in all, so that a world full of mistakes takes no longer than it must. */
bool lint_model_affords(struct lint_model *model, size_t comparisons);

/* What a Pod, or the template of a workload, says of pods; NULL for other kinds. */
const struct pod_spec *lint_model_pod_spec(const struct object *object);
