/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A workload in force, and whether it is expanded to pods: not if Pods of its own are in the files,
 * nor if another workload of the files owns it (rules 100 and 101).
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
    struct namespace *namespace;
    struct workload *object; /* NULL: gone, its pods to be withdrawn */
    uint32_t first;          /* ordinal of its first pod now */
    uint32_t replicas;       /* pods it stands for now */
    uint32_t leased;         /* of them, from the first, may hold leases */
    uint32_t adopted;        /* Pods of the files that take the place of one each */
    GArray *pod_ips;         /* struct address: claimed for them */
    bool crowded;            /* there was no room for as many as it has */
    bool dirty;
};

/* How many it is to have: its replicas, or what an autoscaler says where it says nothing. */
uint32_t workload_replicas(const struct workload_state *state);

/* How many of so many replicas can have the name that their controller gives them as their hostname
 * too: of a StatefulSet's and an indexed Job's pods it must be a DNS label. */
uint32_t workload_nameable(const struct workload *workload, uint32_t replicas);

/* Has the workload Pods of its own in the files? */
bool workload_has_pods(const struct catalog *catalog, const struct workload_state *state);

/* How many Pods of the files that nothing has made would its controller take for its own? Counted
 * no further than its replicas. */
uint32_t workload_adopted(const struct catalog *catalog, const struct workload_state *state);

/* Would the controller of a workload with so many replicas give a pod this name? */
bool workload_makes_name(const struct workload *workload, uint32_t replicas, const char *pod);

/* Whose a Pod of the files is, and what it is to it. */
enum pod_relation {
    POD_ALONE,   /* no workload selects it */
    POD_OWN,     /* one of its pods: the workload is not expanded */
    POD_ADOPTED, /* counts among its replicas */
    POD_BESIDE,  /* selected by it, and beside its replicas */
};
enum pod_relation workload_of_pod(const struct catalog *catalog, const struct namespace *namespace,
                                  const struct pod *pod, const struct workload_state **workload);

/* Is it owned by a workload of the files? */
bool workload_is_owned(const struct catalog *catalog, const struct workload *workload);
