/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The addresses that a Service claims: its cluster IPs, and those of its endpoints.
 */
#pragma once

#include "reverse.h"

/* An empty list of claims; `expected` is its initial capacity. Free with g_array_unref. */
GArray *claims_new(guint expected);

/* `label` is interned, or NULL; see reverse_claim. */
void claims_add(GArray *claims, const struct address *address, enum claim_kind kind,
                const char *label);

/* Replaces the owner's claims (NULL: it has none yet) by others, which it takes over, and tells
 * `reverse` the difference. Duplicates count once. */
void claims_exchange(GArray **claimsp, GArray *after, const struct claim_owner *owner,
                     struct reverse *reverse, const struct between *between);
