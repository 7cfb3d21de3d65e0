/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The families of a Service: which addresses of its pods count (rule 28). What a manifest leaves
 * out is filled in as an API server would.
 */
#pragma once

#include "endpoints.h"

/* Those that the Service states, or that its cluster IPs are of; both for a dual-stack policy; else
 * the first one of its pods (its selection linked). Of endpoints that are no pods both count. */
unsigned families_of_pods(const struct service_state *state,
                          const struct endpoint_options *options);
