/*
 * One name inside the zone -> its outcome: what the resolver does between two links of a chain.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "resolver.h"
#include "settings.h"

struct lookup {
    const struct snapshot_view *view;
    const struct settings *settings;
    enum kubesvc_family family;
    struct resolver_answer *answer; /* receives addresses and flags */
    const char *target;             /* set for an ExternalName: the answer is that name's */
    size_t target_length;
};

/* Looks up `name`, a valid one without its zone and the dot before it; empty: the zone itself.
 * NODATA where `target` is set. */
enum resolver_outcome lookup_name(struct lookup *lookup, const char *name, size_t length);

/* The record of an address in 16 bytes, NULL if there is none. */
const struct kubesvc_address *lookup_address(const struct snapshot_view *view,
                                             const uint8_t address[static 16],
                                             struct snapshot_record *record);
