/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The families of a Service: which addresses of its pods count (rule 28). What a manifest leaves
 * out defaults as in an API server.
 */
#pragma once

#include "endpoints.h"

/* Those that the Service states, or of its cluster IPs; both for a dual-stack policy; else the
 * family of its pods' first address (its selection linked). For endpoints other than pods, both
 * count. */
unsigned families_of_pods(const struct service_state *state, const struct pods *pods);
