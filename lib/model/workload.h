/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A workload in effect, and whether it is expanded to pods: not if its own Pods are in the
 * manifests, nor if another workload of the manifests owns it (rules 100 and 101).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "catalog.h"
#include "namespace.h"
#include "pods.h"
#include "reverse.h"

struct workload_state {
    struct selection selection; /* first: a selection of a workload is its state */
    struct owner identity;      /* kind and interned name, the key in its namespace */
    struct ns *ns;
    struct workload *object; /* NULL: gone, its pods must be withdrawn */
    uint32_t first;          /* current ordinal of its first pod */
    uint32_t replicas;       /* number of its pods */
    uint32_t leased;         /* how many of them, from the first, may hold leases */
    uint32_t adopted;        /* Pods of the manifests, each replacing one */
    GArray *pod_ips;         /* struct address: claimed for them */
    bool over_limit;         /* there was no room for all of them */
    bool dirty;
};

void workload_state_free(struct workload_state *state);

/* The wanted number: its replicas or, if absent, what an autoscaler says. */
uint32_t workload_replicas(const struct workload_state *state);

/* How many of that many replicas can have their generated name as hostname too: for a StatefulSet
 * or an indexed Job it must be a DNS label. */
uint32_t workload_nameable(const struct workload *workload, uint32_t replicas);

/* Are its own Pods in the manifests? */
bool workload_has_pods(const struct catalog *catalog, const struct workload_state *state);

/* How many ownerless Pods of the manifests would its controller adopt? Stops counting at its
 * replicas. */
uint32_t workload_adopted(const struct catalog *catalog, const struct workload_state *state);

/* Would the controller of a workload with that many replicas generate this pod name? */
bool workload_makes_name(const struct workload *workload, uint32_t replicas, const char *pod);

/* A number as controllers write it into names: at most ten digits, and no zero before others. */
bool ordinal_parse(const char *text, uint64_t *ordinal);

/* The workload that a Pod of the manifests belongs to, and the relation between them. */
enum pod_relation {
    POD_ALONE,   /* no workload selects it */
    POD_OWN,     /* one of its pods: the workload is not expanded */
    POD_ADOPTED, /* counts among its replicas */
    POD_BESIDE,  /* selected by it, but beside its replicas */
};
enum pod_relation workload_of_pod(const struct catalog *catalog, const struct ns *ns,
                                  const struct pod *pod, const struct workload_state **workload);

/* Is it owned by a workload of the manifests? */
bool workload_is_owned(const struct catalog *catalog, const struct workload *workload);
