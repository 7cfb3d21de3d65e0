/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses and who uses them: which name an address leads back to (rules 67 to 73), in which
 * namespaces a pod has it (rule 65), whether any object states it at all. Passive; the users of an
 * address are the Services and pods that claim it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/util/address.h"
#include "lib/util/between.h"
#include "zone.h"

enum claim_kind {
    CLAIM_CLUSTER_IP, /* of a Service: rule 67 */
    CLAIM_HOSTNAME,   /* of a Service's endpoint with a hostname of its own: rule 70 */
    CLAIM_ENDPOINT,   /* of one under its pod's name or its dashed address: rule 68 */
    CLAIM_POD,        /* owner's namespace has a pod of this address: rule 65 */
};

struct claim_owner {  /* must stay valid while it has claims */
    const char *name; /* of the Service; unused for CLAIM_POD */
    const char *ns;
};

struct reverse;

struct reverse *reverse_new(void);
struct reverse *reverse_free(struct reverse *reverse); /* returns NULL */

/* An object states the address, or no longer does. True if that was the first or the last one. */
bool reverse_state(struct reverse *reverse, const struct address *address, bool stated);
bool reverse_is_stated(const struct reverse *reverse, const struct address *address);

/* `label` is interned, a reference is taken; NULL: the dashed address. */
void reverse_claim(struct reverse *reverse, const struct address *address, enum claim_kind kind,
                   const struct claim_owner *owner, const char *label);
void reverse_unclaim(struct reverse *reverse, const struct address *address, enum claim_kind kind,
                     const struct claim_owner *owner, const char *label);

/* Reports what has changed since the last call. */
void reverse_flush(struct reverse *reverse, const struct zone_sink *sink,
                   const struct between *between);
