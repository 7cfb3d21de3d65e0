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

/* A Service in effect. */
struct service_state {
    struct selection selection; /* first: a selection of a Service is its state */
    struct claim_owner owner;   /* interned names */
    struct ns *ns;
    struct service *object; /* NULL: gone, to be withdrawn */
    GArray *claims;         /* struct address_claim, sorted: its current claims */
    uint32_t n_endpoints;   /* that it publishes now */
    bool over_limit;        /* it publishes none, for lack of room */
    bool partial;           /* the selection is wider than the selector: match each pod */
    bool leased[2];         /* holds a leased address of family 4, 6 */
    bool dirty;
};

/* Does every pair of its selector match the pod (rule 24)? Groups that the selection matches have
 * them all, except labels that a controller adds. */
static inline bool service_selects(const struct service_state *state, const struct pod_view *view)
{
    return !state->partial || pods_match(state->object->selector, view);
}

struct published { /* one ready endpoint address */
    struct address address;
    const char *label;   /* interned, reference held; NULL: its dashed address */
    bool named;          /* the label is its own hostname */
    struct ports *ports; /* reference held; NULL: none (rule 19) */
    enum address_origin origin;
};

/* The role of an address for a Service whose selector, slices or Endpoints lead to it. */
enum endpoint_verdict {
    ENDPOINT_COUNTS,
    ENDPOINT_NOT_READY,    /* rules 17 and 25 */
    ENDPOINT_TERMINATING,  /* not ready either, but still serving: a proxy falls back on it */
    ENDPOINT_ENDED,        /* a pod in phase Failed or Succeeded (rule 27) */
    ENDPOINT_NO_ADDRESS,   /* a pod without an address; `address` is NULL (rule 27) */
    ENDPOINT_OTHER_FAMILY, /* rule 28 */
    ENDPOINT_NO_ROOM,      /* the Service is over the limit; reported by cluster_read.h only */
};

struct endpoint_candidate {
    enum endpoint_verdict verdict;
    const struct address *address;
    const char *label;   /* interned; NULL: its dashed address */
    struct ports *ports; /* NULL: none (rule 19) */
    enum address_origin origin;
    const struct object *object; /* its origin: slice, Endpoints, Pod, workload; the Service */
    const char *pod;             /* its name, NULL if it is none */
    const struct sighting *seen; /* where the pod runs, NULL if no runtime reports it */
    uint32_t ordinal;            /* of a replica */
    bool named;                  /* the label is its own hostname */
    bool ready;
};

/* Where the endpoints of a Service come from (rule 93). */
enum endpoint_source {
    ENDPOINTS_NONE,
    ENDPOINTS_STATED, /* its annotation */
    ENDPOINTS_SLICES, /* and mirrored Endpoints, if it has no selector */
    ENDPOINTS_OBJECT, /* an Endpoints object, mirrored or for lack of pods */
    ENDPOINTS_PODS,
};
enum endpoint_source endpoints_source(const struct pods *pods, const struct service_state *state);

/* Calls `each` for every candidate of the source, once per address. Candidates are valid during the
 * call only. */
typedef void (*endpoint_each)(void *userdata, const struct endpoint_candidate *candidate);

/* Approximate number of endpoints of a Service; stops counting beyond `enough`. Cheap, as it
 * considers neither readiness nor several addresses of one pod. */
uint64_t endpoints_estimate(const struct pods *pods, const struct service_state *state,
                            uint32_t enough);

/* All ready endpoints of a Service (its selection linked), families not restricted for pods unless
 * `families` (a bit for 4 and one for 6 as FAMILY_BIT) says so; if there are more than `room`, only
 * some, but more than `room`. GArray of struct published, to be freed with g_array_unref;
 * `expected` is the initial capacity. */
#define FAMILY_BIT(family) (1u << (family))
#define FAMILY_BOTH (FAMILY_BIT(4) | FAMILY_BIT(6))
GArray *endpoints_collect(const struct pods *pods, const struct service_state *state,
                          unsigned families, uint32_t room, uint32_t expected);
void endpoints_each(const struct pods *pods, const struct service_state *state, unsigned families,
                    endpoint_each each, void *userdata);
