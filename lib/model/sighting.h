/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sighting: a container runtime of this machine runs a pod of this name, with these addresses. It
 * is no object. All it can do is to give a pod that the manifests already have its real address.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/util/address.h"

/* Of two runtimes that see the same pod, the first counts. */
enum runtime { RUNTIME_PODMAN, RUNTIME_CNI, RUNTIME_KUBELET, RUNTIMES };

/* As in a Pod's status.podIPs: one of each family. */
#define SIGHTING_ADDRESSES_MAX 2u

/* What has become of it. */
enum sighting_state {
    SIGHTING_UNKNOWN,    /* no object of the manifests has such a pod */
    SIGHTING_TAKEN,      /* it is a pod of one object */
    SIGHTING_AMBIGUOUS,  /* it may be a pod of several objects, and is of none */
    SIGHTING_SUPERSEDED, /* another pod was given its address later */
};

struct holder;

struct sighting {
    const char *namespace; /* interned; NULL: the runtime does not know it */
    const char *name;      /* interned: the pod's */
    const char *network;   /* interned; NULL: none is known */
    struct address addresses[SIGHTING_ADDRESSES_MAX];
    uint8_t n_addresses;
    uint8_t runtime; /* enum runtime */
    bool secondary;  /* of a further interface of the pod */
    int64_t since;   /* nanoseconds since the epoch: when it was written down first */

    /* sightings.c's */
    uint8_t state;         /* enum sighting_state */
    bool dirty;            /* whose it is has to be found out again */
    struct holder *holder; /* whose it is, if it is taken */
};

/* "podman", "cni", "kubelet" */
const char *runtime_name(enum runtime runtime);

/* Texts are copied, NULL is allowed for all but `name`. */
struct sighting *sighting_new(enum runtime runtime, const char *namespace, const char *name,
                              const char *network);
void sighting_free(struct sighting *sighting); /* NULL is allowed */

/* Adds an address unless there is one of its family already. */
void sighting_add(struct sighting *sighting, const struct address *address);

/* Do two say the same, the time aside? */
bool sighting_equal(const struct sighting *a, const struct sighting *b);

/* Negative when `a` is to be believed rather than `b`, if both are of one pod: the first runtime,
 * the pod's first interface, the first network by name, the latest. */
int sighting_compare(const struct sighting *a, const struct sighting *b);
