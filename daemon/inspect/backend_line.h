/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is behind the cluster IPs of one Service, as a line of the verb `backends`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "context.h"
#include "lib/model/cluster_read.h"

/* Ports of all Services and their endpoints together. A few lines of manifest can ask for any
 * number: each port of a Service has all of its pods. With session affinity an endpoint counts as
 * many times as it takes more of the proxy's memory, and of the kernel's time. */
#define BACKENDS_MAX (UINT32_C(1) << 18)
#define BACKENDS_STICKY UINT32_C(32)

struct backend_line {
    char *text;
    uint32_t size;   /* of BACKENDS_MAX */
    bool over_limit; /* the text has none, for lack of room */
};

/* NULL: there is nothing to forward to, or from. `room`: for ports and their endpoints. */
struct backend_line *backend_line_new(const struct inspect_context *context,
                                      const struct service_state *state, uint32_t room);
void backend_line_free(void *data); /* struct backend_line, or NULL */
