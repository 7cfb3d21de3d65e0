/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The proxy: keeps the table, the routes and the flows of UDP in step with what the daemon says
 * stands behind each cluster IP. While no daemon answers, all stays as it is.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/util/error.h"

struct proxy;

/* `socket`: the daemon's. Says in the log why it cannot. 0 or negative errno; -EBUSY: another proxy
 * runs in this network namespace. */
MUST_USE int proxy_new(struct proxy **proxyp, sd_event *event, const char *socket);

/* Takes back all that it did; returns NULL. */
struct proxy *proxy_free(struct proxy *proxy);
