/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's side of the header mapped by readers in other processes: whether it lives, whether
 * it wants every question on its socket, and whether it was stopped.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/publish/snapshot_root.h"
#include "lib/util/error.h"

struct heartbeat;

/* Beats once a second. `root` must outlive it. */
MUST_USE int heartbeat_new(struct heartbeat **heartbeatp, sd_event *event,
                           struct snapshot_root *root);
struct heartbeat *heartbeat_free(struct heartbeat *heartbeat); /* returns NULL */

/* Asks readers to send all questions to the socket, or no longer: while a client watches them, and
 * while the configuration does not allow maps. */
void heartbeat_watch(struct heartbeat *heartbeat, bool watch);
void heartbeat_allow_maps(struct heartbeat *heartbeat, bool allow);
bool heartbeat_allows_maps(const struct heartbeat *heartbeat);

/* The daemon is being stopped on purpose: its names are gone at once. */
void heartbeat_stop(struct heartbeat *heartbeat);
