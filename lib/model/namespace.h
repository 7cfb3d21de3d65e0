/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A namespace and the indexes of its objects: pods and workloads grouped by equal labels,
 * selections (a Service's or a workload's selector) linked to the groups they match, slices by
 * their Service, Endpoints by name, pods counted by their owner. An index only: it decides nothing.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "object.h"
#include "reverse.h"

/* Pods and workloads (by their template) that carry the same labels. */
struct group {
    const struct labels *labels;
    GPtrArray *members;    /* struct object *, not owned */
    GPtrArray *selections; /* struct selection *, not owned: those that match */
    uint32_t n_pods;       /* Pods among the members */
    bool contested;        /* a workload has started or stopped selecting it */
};

/* A selector, embedded in the selecting state. */
struct selection {
    const struct labels *selector; /* reference held; may be empty: matches all */
    GPtrArray *groups;             /* struct group *: those it matches */
    bool linked;
    bool of_workload; /* belongs to a struct workload_state or a struct service_state */
};

struct workload_state;

struct ns {
    const char *name;        /* interned */
    struct claim_owner pods; /* claims its pods' names */
    uint32_t mentions;       /* objects in effect in it */
    bool dirty;              /* its record must be rewritten */
    bool contested;          /* a group may be empty */
    GHashTable *services;    /* name -> struct service_state * */
    GHashTable *workloads;   /* struct owner * (kind, name) -> struct workload_state * */
    GHashTable *bare_pods;   /* name -> struct bare_pod * */
    GHashTable *slices;      /* struct owner (a Service) -> GPtrArray of struct endpoint_slice * */
    GHashTable *endpoints;   /* name -> struct endpoint_slice * made from an Endpoints object */
    GHashTable *groups;      /* struct labels * -> struct group * */
    GHashTable *anchors;     /* struct label * -> GPtrArray of linked struct selection * */
    GPtrArray *unlinked;     /* struct selection * waiting for namespace_link */
    GHashTable *owned;       /* struct owner (interned) -> guint *: the number of its Pods */
    GHashTable *dependents; /* struct owner (interned) -> GPtrArray of struct object *: workloads */
    GHashTable *autoscalers; /* struct owner (interned) -> GPtrArray of struct autoscaler * */
};

/* `name` is interned. The functions free the states of its Services, its workloads and its Pods
 * without addresses; NULL: it has none. */
struct ns *namespace_new(const char *name, GDestroyNotify free_service,
                         GDestroyNotify free_workload, GDestroyNotify free_pod);
void namespace_free(struct ns *ns);

/* Adds an object (a pod, or a workload for the pods of its template) to the group of its labels, or
 * removes it. The group stays valid until it is empty and namespace_prune is called. */
struct group *namespace_group_add(struct ns *ns, struct object *object,
                                  const struct labels *labels);
struct group *namespace_group_remove(struct ns *ns, struct object *object,
                                     const struct labels *labels);

/* The group of these labels, NULL if there is none. */
struct group *namespace_group(const struct ns *ns, const struct labels *labels);

/* Frees a group without members. */
void namespace_prune(struct ns *ns, struct group *group);

void namespace_select(struct ns *ns, struct selection *selection, const struct labels *selector,
                      bool of_workload);
void namespace_unselect(struct ns *ns, struct selection *selection);

/* Links all new selections to the existing groups; call before reading any `groups`. */
void namespace_link(struct ns *ns);

/* Which pods belong to the selecting workload may have changed. */
void namespace_contest(struct ns *ns, const struct selection *selection);

/* Calls `each` for every group with Pods that other workloads select than at the last call: their
 * owner may have changed. */
void namespace_contested(struct ns *ns, void (*each)(void *userdata, const struct group *group),
                         void *userdata);

/* What comes into effect, or goes out of it. */
void namespace_note_slice(struct ns *ns, const struct endpoint_slice *slice, bool in);
void namespace_note_dependent(struct ns *ns, const struct workload *workload, bool in);
void namespace_note_autoscaler(struct ns *ns, const struct autoscaler *autoscaler, bool in);
void namespace_note_owned(struct ns *ns, const struct owner *owner, bool in); /* a Pod, by owner */

/* Slices (struct endpoint_slice *) of this Service, by its interned name; NULL for none. */
const GPtrArray *namespace_slices(const struct ns *ns, const char *service);

/* Workloads (struct object *) whose owner reference names this one; NULL for none. */
const GPtrArray *namespace_dependents(const struct ns *ns, const struct owner *owner);

/* Autoscalers (struct autoscaler *) of this workload, by kind and interned name; NULL for none. */
const GPtrArray *namespace_autoscalers(const struct ns *ns, const struct owner *target);

/* Are there Pods whose controller is this workload, by owner reference? */
bool namespace_has_owned(const struct ns *ns, const struct owner *owner);

/* NULL if there is none. `name` need not be interned. */
struct workload_state *namespace_workload(const struct ns *ns, enum object_kind kind,
                                          const char *name);
