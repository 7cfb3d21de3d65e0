/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The endpoints of a Service: which addresses it publishes, under which label and with which ports
 * (rules 16 to 44, 93 and 104).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "namespace.h"
#include "pods.h"
#include "reverse.h"

/* A Service in force. */
struct service_state {
    struct selection selection; /* first: a selection of a Service is its state */
    struct claim_owner owner;   /* interned names */
    struct namespace *namespace;
    struct service *object; /* NULL: gone, to be unpublished */
    GArray *claims;         /* struct address_claim, sorted: what it claims now */
    uint32_t n_endpoints;   /* that it publishes now */
    bool crowded;           /* it publishes none, for want of room */
    bool partial;           /* the selection is wider than the selector: match each pod */
    bool leased[2];         /* holds a leased address of family 4, 6 */
    bool dirty;
};

struct endpoint_options {
    const struct pods *pods;
    bool pod_names; /* endpointPodNames (rule 42) */
};

struct published { /* one ready endpoint address */
    struct address address;
    const char *label;   /* interned, reference held; NULL: its dashed address */
    bool named;          /* the label is a hostname of its own */
    struct ports *ports; /* reference held; NULL: none (rule 19) */
    enum address_origin origin;
};

/* What an address is to a Service that its selector, slices or Endpoints lead to. */
enum endpoint_verdict {
    ENDPOINT_COUNTS,
    ENDPOINT_NOT_READY,    /* rules 17 and 25 */
    ENDPOINT_ENDED,        /* a pod in phase Failed or Succeeded (rule 27) */
    ENDPOINT_NO_ADDRESS,   /* a pod without one; `address` is NULL (rule 27) */
    ENDPOINT_OTHER_FAMILY, /* rule 28 */
    ENDPOINT_NO_ROOM,      /* the Service is crowded; only view.h tells it */
};

struct endpoint_candidate {
    enum endpoint_verdict verdict;
    const struct address *address;
    const char *label;   /* interned; NULL: its dashed address */
    struct ports *ports; /* NULL: none (rule 19) */
    enum address_origin origin;
    const struct object *object; /* that it is of: slice, Endpoints, Pod, workload; the Service */
    const char *pod;             /* its name, NULL if it is of none */
    const struct sighting *seen; /* where that runs, NULL if no runtime says so */
    uint32_t ordinal;            /* of a replica */
    bool named;                  /* the label is a hostname of its own */
    bool ready;
};

/* Where a Service has its endpoints from (rule 93). */
enum endpoint_source {
    ENDPOINTS_NONE,
    ENDPOINTS_STATED, /* its annotation */
    ENDPOINTS_SLICES, /* and mirrored Endpoints, if it has no selector */
    ENDPOINTS_OBJECT, /* an Endpoints object, mirrored or for want of pods */
    ENDPOINTS_PODS,
};
enum endpoint_source endpoints_source(const struct endpoint_options *options,
                                      const struct service_state *state);

/* Calls `each` for every candidate of the source, each address by itself. It is valid during the
 * call only. */
typedef void (*endpoint_each)(void *userdata, const struct endpoint_candidate *candidate);

/* About how many endpoints a Service has, counted no further than beyond `enough`. Cheap to say: it
 * is not asked whether they are ready, nor how many addresses each has. */
uint64_t endpoints_estimate(const struct endpoint_options *options,
                            const struct service_state *state, uint32_t enough);

/* All ready endpoints of a Service (its selection linked), families not restricted for pods unless
 * `families` (a bit for 4 and one for 6 as FAMILY_BIT) says so; only some of them, but more than
 * `room`, if there are more. GArray of struct published, to be freed with g_array_unref; there is
 * place for `expected` from the beginning. */
#define FAMILY_BIT(family) (1u << (family))
#define FAMILY_BOTH (FAMILY_BIT(4) | FAMILY_BIT(6))
GArray *endpoints_collect(const struct endpoint_options *options, const struct service_state *state,
                          unsigned families, uint32_t room, uint32_t expected);
void endpoints_each(const struct endpoint_options *options, const struct service_state *state,
                    unsigned families, endpoint_each each, void *userdata);
