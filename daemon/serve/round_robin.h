/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which address of a name leads next, so that over many answers each leads equally often (the order
 * is free: rule 6). A bounded table of positions by name and family; an evicted one starts again at
 * a random place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/util/error.h"
#include <kubesvc/protocol.h>

struct round_robin;

MUST_USE int round_robin_new(struct round_robin **round_robinp);
struct round_robin *round_robin_free(struct round_robin *round_robin); /* returns NULL */

/* The index, below `n`, of the address that leads now; the next call returns the one after it.
 * `owner` is the canonical name, at most KUBESVC_NAME_MAX bytes in any case; `n` is not 0. */
uint32_t round_robin_next(struct round_robin *round_robin, const char *owner, size_t length,
                          enum kubesvc_family family, uint32_t n);
