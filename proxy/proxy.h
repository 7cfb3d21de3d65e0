/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The proxy: keeps the table, the routes and the UDP flows in step with the endpoints that the
 * daemon reports for each cluster IP. While no daemon answers, everything stays as it is.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/util/error.h"

struct proxy;

/* `socket`: the daemon's. Logs errors. 0 or negative errno; -EBUSY: another proxy runs in this
 * network namespace. */
MUST_USE int proxy_new(struct proxy **proxyp, sd_event *event, const char *socket);

/* Removes the table and the routes. Without this they stay, forward as before, and are what the
 * next process starts with. */
void proxy_remove(struct proxy *proxy);

struct proxy *proxy_free(struct proxy *proxy); /* returns NULL */
