/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Groups the addresses of an Endpoints object into subsets as the API server and the mirroring
 * controller do (rule 21): each host once, ready at a port unless stated otherwise anywhere.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/model/object.h"

struct mention {              /* an address in one subset of the manifest */
    struct endpoint endpoint; /* of one address */
    const char *uid;          /* of its targetRef, "" if it has none; the caller's */
    struct ports *ports;      /* of the subset, reference held by the caller; NULL for none */
    uint32_t next;            /* private to repack */
    bool repeated;            /* private to repack */
};

/* Builds the subsets of `slice` from the mentions (struct mention), whose endpoints are
 * consumed. */
void repack_subsets(GArray *mentions, struct endpoint_slice *slice);
