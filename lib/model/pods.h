/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pods as endpoints: a Pod of the manifests, or one replica of an expanded workload, each with the
 * addresses, hostname and readiness that count for names (rules 97 to 101 and 25 to 28 and 38 to
 * 41). An address to be invented is leased here.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "leases.h"
#include "object.h"
#include "sightings.h"

enum address_origin {
    ADDRESS_STATED,    /* stated by the objects */
    ADDRESS_NODE,      /* hostNetwork: the node's, never in a reverse answer */
    ADDRESS_ALLOCATED, /* leased */
    ADDRESS_SEEN,      /* from a runtime of this machine; `seen` tells which */
};

struct pods {
    struct leases *leases;
    const struct sightings *sightings; /* NULL: no runtime is asked, and pods are given addresses */
    const GArray *node_ips;            /* struct address */
    bool allocate;                     /* may anything be allocated? */
    bool endpoint_names;               /* endpointPodNames (rule 42) */
    bool look_only;                    /* leases are looked up but not created */
};

#define POD_NAME_MAX 253u

struct pod_view {
    const struct object *object; /* the Pod, or the workload it is a replica of */
    uint32_t ordinal;            /* of a replica */
    const struct pod_spec *spec;
    char name[POD_NAME_MAX + 13];
    const char *hostname, *subdomain; /* NULL for none; may point to `name` */
    const struct address *addresses;  /* may point to `leased` */
    uint32_t n;
    enum address_origin origin;
    const struct sighting *seen; /* where it runs; NULL: not seen, or no runtime is asked */
    bool ready;                  /* condition Ready, and not being deleted; or seen */
    bool terminating;            /* the same, but being deleted */
    bool eligible;               /* may be an endpoint at all (rule 27) */
    bool named;                  /* its addresses have pod names (rule 65) */
    struct address leased[2];
};

/* May this object be given addresses? */
bool pods_may_allocate(const struct pods *pods, const struct object *object);

/* Is this a Pod whose manifest does not state its address? Then it is looked for in runtimes if any
 * is asked, and leased otherwise. */
bool pods_is_open(const struct pods *pods, const struct pod *pod);

/* The same for the pods of a workload. */
bool pods_is_open_workload(const struct workload *workload);

/* Is this a Pod of the manifests whose address should be leased? */
bool pods_is_allocated(const struct pods *pods, const struct pod *pod);

/* Views; must not be copied. `index` counts from 0; the workload must be expanded. */
void pods_view(const struct pods *pods, const struct pod *pod, struct pod_view *view);
void pods_view_replica(const struct pods *pods, const struct workload *workload, uint32_t index,
                       struct pod_view *view);

/* Ends leases of a Pod, or of one replica, that are no longer needed. */
void pods_release(const struct pods *pods, const char *ns, const char *name);
void pods_release_replica(const struct pods *pods, const char *ns, enum object_kind kind,
                          const char *name, uint32_t ordinal);

/* Does a selector match the pod, including the labels that its controller would add? */
bool pods_match(const struct labels *selector, const struct pod_view *view);

/* The part of a selector that the labels of a template or a Pod can decide by themselves: without
 * those that a controller adds to each pod. Returns a reference; `*partial`: something was left
 * out. */
const struct labels *pods_selector(const struct labels *selector, bool *partial);

/* How many of the wanted replicas a workload without Pods in the manifests gets: 0 if it may not be
 * expanded. If a runtime is asked, all of them, seen or not. */
uint32_t pods_replicas(const struct pods *pods, const struct workload *workload, uint32_t wanted);
