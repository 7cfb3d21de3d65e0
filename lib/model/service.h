/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Service in force as a zone describes it: type, addresses, endpoints by label, ports; and the
 * addresses it thereby claims. Decides whether a cluster IP is stated, leased or not to be had
 * (rules 102 and 103).
 */
#pragma once

#include "endpoints.h"
#include "zone.h"

struct service_options {
    struct endpoint_options endpoints;
    bool ignore_empty; /* ignoreEmptyService (rule 51) */
};

/* As it was last brought up to date: the families of pods that count (rule 28); and the addresses
 * of its own, stated or leased cluster IPs, appended (struct address). True: they are leased. */
unsigned service_families(const struct service_state *state, const struct service_options *options);
bool service_addresses(const struct service_state *state, const struct service_options *options,
                       GArray *addresses);

/* Are its endpoints pods that a runtime runs, or does not? Then no cluster IP is invented for it.
 */
bool service_has_real_pods(const struct service_state *state,
                           const struct service_options *options);

/* Endpoints of all Services together. A few lines of manifest can ask for any number (many Services
 * that select one large workload); a cluster of the size that Kubernetes supports has a tenth of
 * these. */
#define ENDPOINTS_MAX (UINT32_C(1) << 21)

/* Brings what is published of a Service up to date: leases, claims, sink, n_endpoints. `exposed`:
 * its namespace may be asked for. With state->object NULL everything is withdrawn. A Service that
 * may have more than `room` endpoints is published without any, and crowded. */
void service_publish(struct service_state *state, const struct service_options *options,
                     bool exposed, uint32_t room, struct reverse *reverse,
                     const struct zone_sink *sink);
