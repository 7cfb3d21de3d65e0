/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The addresses of an Endpoints object, put into subsets as the API server and the mirroring
 * controller do (rule 21): each host once, ready at a port if it is nowhere said not to be.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/model/object.h"

struct mention {              /* of an address in one subset of the manifest */
    struct endpoint endpoint; /* of one address */
    const char *uid;          /* of its targetRef, "" if it has none; the caller's */
    struct ports *ports;      /* of the subset, reference held by the caller; NULL for none */
    uint32_t next;            /* repack's own */
    bool repeated;            /* repack's own */
};

/* Makes the subsets of `slice` from the mentions (struct mention), whose endpoints are used up. */
void repack_subsets(GArray *mentions, struct endpoint_slice *slice);
