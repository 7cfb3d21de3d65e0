/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One TCP connection: length-prefixed messages, in and out.
 */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "front.h"
#include "lib/util/error.h"

struct tcp_connection;

/* Takes ownership of the descriptor, even if it fails. The connection joins `all` (struct
 * tcp_connection), where the one whose last progress is longest ago comes first, and frees itself
 * when it is over. -ENOTCONN: the client is gone. */
MUST_USE int tcp_connection_new(sd_event *event, int fd, struct front *front, GQueue *all);
void tcp_connection_free(struct tcp_connection *connection);

/* Time of its last progress or creation; CLOCK_MONOTONIC, microseconds. A whole request that has
 * arrived is progress, and bytes of responses that were taken. */
uint64_t tcp_connection_moved(const struct tcp_connection *connection);
