/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sighting: a container runtime on this machine runs a pod of this name with these addresses. It
 * is not an object; it only gives a pod that the manifests define its real address.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/util/address.h"

/* Of two runtimes that see the same pod, the first counts. */
enum runtime { RUNTIME_PODMAN, RUNTIME_CNI, RUNTIME_KUBELET, RUNTIMES };

/* As in a Pod's status.podIPs: one of each family. */
#define SIGHTING_ADDRESSES_MAX 2u

/* The number of lengths that names of its possible objects can have; see sighting_stems. */
#define SIGHTING_STEMS_MAX 6u

/* Whether an object was found for it. */
enum sighting_state {
    SIGHTING_UNKNOWN,    /* no object in the manifests has such a pod */
    SIGHTING_TAKEN,      /* belongs to one object */
    SIGHTING_AMBIGUOUS,  /* could belong to several objects, so it is ignored */
    SIGHTING_SUPERSEDED, /* a later pod has its address */
    SIGHTING_REFUSED,    /* a container may have claimed the address of another pod */
};

struct holder;
struct meeting;

struct sighting {
    const char *ns;      /* interned; NULL: the runtime does not know it */
    const char *name;    /* interned: the pod's */
    const char *network; /* interned; NULL: none is known */
    struct address addresses[SIGHTING_ADDRESSES_MAX];
    uint8_t n_addresses;
    uint8_t runtime;    /* enum runtime */
    bool secondary;     /* an additional interface of the pod */
    bool attested;      /* the runtime wrote it, and no container can have */
    int64_t since;      /* nanoseconds since the epoch: when it was first recorded */
    const void *source; /* the configured runtime that reported it; only compared */

    /* sightings.c's */
    uint8_t state;                                /* enum sighting_state */
    bool present;                                 /* it has come, and is in all tables */
    bool dirty;                                   /* needs to be resolved again */
    struct holder *holder;                        /* the object, if SIGHTING_TAKEN */
    struct meeting *meetings[SIGHTING_STEMS_MAX]; /* it is in the lists of these */
    uint8_t n_meetings;
    struct sighting *next[SIGHTING_ADDRESSES_MAX]; /* another one with the same address */
};

/* "podman", "cni", "kubelet" */
const char *runtime_name(enum runtime runtime);

/* Texts are copied, NULL is allowed. Attested, unless it is kubelet's. */
struct sighting *sighting_new(enum runtime runtime, const char *ns, const char *name,
                              const char *network);
void sighting_free(struct sighting *sighting); /* NULL is allowed */

/* Adds an address unless there is one of its family already, or it is a special one: network
 * plugins report the loopback interface, too, and a container that writes 0.0.0.0 or such to its
 * hosts file would have clients on the host talk to the host. */
void sighting_add(struct sighting *sighting, const struct address *address);

/* An arbitrary order of what they tell; 0: they are equal, apart from when and how it is known. */
int sighting_order(const struct sighting *a, const struct sighting *b);

/* Negative if `a` is preferred over `b` for the same pod: by runtime, primary interface, name of
 * the network, and then the latest. */
int sighting_compare(const struct sighting *a, const struct sighting *b);
