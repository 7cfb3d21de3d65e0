/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One name inside the zone -> its outcome: what the resolver does between two links of a chain.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver.h"
#include "settings.h"

/* The addresses of a name, of both families; inside the snapshot. */
struct lookup_set {
    const uint8_t *inet, *inet6;
    uint32_t n_inet, n_inet6;
};

struct lookup {
    const struct snapshot_view *view;
    const struct settings *settings; /* of the name's zone */
    unsigned flags;                  /* RESOLVER_*, set by the lookup as all below */
    struct lookup_set set;
    uint8_t literal[16]; /* where `set` points if the name itself spells its address */
    const char *target;  /* of an ExternalName: the answer is the target's */
    size_t target_length;
    /* The record of the Service that the name denotes or lies below (data is NULL if there is none,
     * or it answers nothing), and the part of the name before the Service's, without the dot. */
    struct snapshot_record service;
    const char *below;
    size_t below_length;
};

/* Looks up `name`, valid, without its zone and the dot before it; empty: the zone itself. FOUND:
 * `set` holds at least one address of either family. NODATA where `target` is set. */
enum resolver_outcome lookup_name(struct lookup *lookup, const char *name, size_t length);

/* An array that does not lie inside its record counts as empty. */
struct lookup_set lookup_read_set(struct snapshot_record record, const struct kubesvc_set *stored);

/* The entry of an explicit hostname. `label` is in any letters, the table in lower case. */
const struct kubesvc_endpoint *lookup_find_endpoint(struct snapshot_record record,
                                                    const struct kubesvc_span *table,
                                                    const char *label, size_t label_length);

/* Is `wanted` among `n` ascending addresses of `size` bytes? */
bool lookup_contains(const uint8_t *addresses, uint32_t n, size_t size, const uint8_t *wanted);

/* [_]tcp, [_]udp, [_]sctp, or nothing, which is ANY (enum kubesvc_protocol). */
bool lookup_parse_protocol(const char *label, size_t length, uint32_t *protocol);

/* The record of an address in 16 bytes, NULL if there is none. */
const struct kubesvc_address *lookup_address(const struct snapshot_view *view,
                                             const uint8_t address[static 16],
                                             struct snapshot_record *record);
