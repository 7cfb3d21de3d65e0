/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's side of the header that readers of other processes have mapped: that it lives,
 * whether it wants to see every question on its socket, and that it was stopped.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/publish/snapshot_root.h"
#include "lib/util/error.h"

struct heartbeat;

/* Beats once a second. `root` must live longer. */
MUST_USE int heartbeat_new(struct heartbeat **heartbeatp, sd_event *event,
                           struct snapshot_root *root);
struct heartbeat *heartbeat_free(struct heartbeat *heartbeat); /* returns NULL */

/* From now on all questions are wanted on the socket, or not. */
void heartbeat_watch(struct heartbeat *heartbeat, bool watch);

/* The daemon is stopped on purpose: its names are gone at once. */
void heartbeat_stop(struct heartbeat *heartbeat);
