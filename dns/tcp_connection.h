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

struct tcp_events {
    /* A whole request has arrived, or bytes of responses have been taken. */
    void (*moved)(void *userdata, struct tcp_connection *connection);
    /* It is over: free it. */
    void (*closed)(void *userdata, struct tcp_connection *connection);
    void *userdata;
};

/* Takes ownership of the descriptor, even if it fails. -ENOTCONN: the client is gone. */
MUST_USE int tcp_connection_new(struct tcp_connection **connectionp, sd_event *event, int fd,
                                struct front *front, const struct tcp_events *events);
void tcp_connection_free(struct tcp_connection *connection);

/* For its owner's queue; its data is the connection. */
GList *tcp_connection_link(struct tcp_connection *connection);

/* Time of its last progress or creation; CLOCK_MONOTONIC, microseconds. */
uint64_t tcp_connection_moved(const struct tcp_connection *connection);
