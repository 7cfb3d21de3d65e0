/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The resolver: one absolute name or one address, one snapshot -> a DNS outcome
 * (docs/rules.md, sections A to G). Search list, NSS status and rotation belong to the layers
 * above. Uses libc only, allocates nothing, trusts nothing in the snapshot.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"
#include "snapshot.h"
#include <kubesvc/protocol.h>

enum resolver_outcome {
    RESOLVER_FOUND,
    RESOLVER_NODATA, /* exists, no address of this family */
    RESOLVER_NXDOMAIN,
    RESOLVER_NOT_OURS, /* outside the zone; a namespace left to other services by `fallthrough`; an
                          unknown address; anything while no object is loaded */
    RESOLVER_EXTERNAL, /* `target` must be resolved outside the zone */
};

/* Why the outcome is what it is; the layer above needs it to tell a short name of ours from a
 * foreign host's. */
#define RESOLVER_BARE 0x1u    /* NODATA of the zone's apex, svc, pod or a namespace itself */
#define RESOLVER_SERVICE 0x2u /* the name is that of an existing Service (not one below it) */

/* The chain of owners, in the caller's memory; the caller sets `text` and `capacity`. */
struct resolver_names {
    char *text;        /* the names one after the other, each followed by NUL, canonical last */
    uint16_t capacity; /* bytes; KUBESVC_NAMES_SIZE_MAX suffices for every chain */
    uint16_t count;    /* owners met so far: the question's, then one for each link */
    uint16_t size;     /* bytes used */
    bool full;         /* a name did not fit: discard the result */
};

#define RESOLVER_NAMES(storage)                                                                    \
    ((struct resolver_names){.text = (storage), .capacity = sizeof(storage)})

struct resolver_answer {
    enum resolver_outcome outcome;
    unsigned flags;
    const uint8_t *addresses; /* inside the snapshot or `literal`; of the asked family */
    uint32_t n_addresses;
    uint8_t literal[16]; /* an address that the name itself spells (rule 63, insecure) */
};

/* Resolves `name` (`length` bytes, without final dot, valid by name_is_valid, any case) to the
 * addresses of each family. `settings` are those of the view; NULL: they are read here. `names`
 * receives the chain of owners: the question's letters first, then the target of each ExternalName
 * followed, the canonical name (or, for EXTERNAL, the target to resolve) last. The addresses may
 * lie in the answers themselves: do not copy these. */
void resolver_name(const struct snapshot_view *view, const struct settings *settings,
                   const char *name, size_t length, struct resolver_answer *inet,
                   struct resolver_answer *inet6, struct resolver_names *names);

/* Resolves an address of `family` to its one name (rules 67 to 73), stored in `names`. FOUND,
 * NXDOMAIN (an address of ours without a name) or NOT_OURS. */
void resolver_address(const struct snapshot_view *view, enum kubesvc_family family,
                      const uint8_t address[static 16], struct resolver_answer *answer,
                      struct resolver_names *names);
