/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Service in effect as a zone describes it: type, addresses, endpoints by label, ports; and the
 * addresses it claims. Decides whether a cluster IP is stated, leased or unavailable (rules 102 and
 * 103).
 */
#pragma once

#include "endpoints.h"
#include "lib/util/between.h"
#include "zone.h"

struct service_options {
    const struct pods *pods;
    bool ignore_empty; /* ignoreEmptyService (rule 51) */
    struct between between;
};

void service_state_free(struct service_state *state); /* its claims must be withdrawn */

/* As of its last update: the families of pods that count (rule 28); and its own addresses, stated
 * or leased cluster IPs, appended (struct address). True: they are leased. */
unsigned service_families(const struct service_state *state, const struct service_options *options);
bool service_addresses(const struct service_state *state, const struct service_options *options,
                       GArray *addresses);

/* Are its endpoints pods known to a runtime, or missing from it? Then no cluster IP is invented for
 * it. */
bool service_has_real_pods(const struct service_state *state,
                           const struct service_options *options);

/* Endpoints of all Services together. A few lines of manifest can ask for any number (many Services
 * that select one large workload); a cluster at Kubernetes' size limits has a tenth of these. */
#define ENDPOINTS_MAX (UINT32_C(1) << 21)

/* Brings what is published of a Service up to date: leases, claims, sink, n_endpoints. `exposed`:
 * names of its namespace may be looked up. With state->object NULL everything is withdrawn. A
 * Service that may have more than `room` endpoints is published without any, and over the
 * limit. */
void service_publish(struct service_state *state, const struct service_options *options,
                     bool exposed, uint32_t room, struct reverse *reverse,
                     const struct zone_sink *sink);
