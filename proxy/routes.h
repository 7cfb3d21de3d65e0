/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Routes for the ranges of cluster IPs. A connection is translated after the kernel has found a
 * route for it, so an address needs one, even to nowhere. Ranges in 127.0.0.0/8 have one, and so
 * does every range if there is a default route; for others a local route is added.
 */
#pragma once

#include <glib.h>
#include <systemd/sd-event.h>

#include "lib/util/error.h"

struct routes;

/* Finds the routes that a process before this one has left. 0 or negative errno. */
MUST_USE int routes_new(struct routes **routesp, sd_event *event);

/* Leaves the routes as they are; returns NULL. */
struct routes *routes_free(struct routes *routes);

/* Removes all added routes, including those of a process before this one. */
void routes_remove(struct routes *routes);

/* Sets the ranges (struct address_range) that need a route. */
void routes_want(struct routes *routes, const GArray *ranges);
