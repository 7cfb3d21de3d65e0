/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection of one lookup to the daemon, and the deadline it runs against.
 *
 * All that survives a lookup is one timestamp per process: when a lookup last timed out. No
 * descriptor, lock, thread-local or allocation is kept (guest rules 46, 47, 50, 51).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard.h"

enum connection_result {
    CONNECTION_OK,
    CONNECTION_ABSENT,    /* no socket that this process may connect to: no daemon is expected */
    CONNECTION_REFUSED,   /* nothing listens on the socket, or it does not speak the protocol */
    CONNECTION_SLOW,      /* no answer in time, or skipped after a recent timeout */
    CONNECTION_EXHAUSTED, /* no descriptor or no memory */
    CONNECTION_URGED,     /* a signal is pending: close, leave the guard, and start over */
};

struct connection {
    int fd;           /* -1: not connected */
    int64_t deadline; /* CLOCK_MONOTONIC, milliseconds; covers everything that a lookup sends and
                         receives */
    int64_t limit;    /* how far PENDING may extend the deadline */
    int64_t look;     /* when to check for signals that `guard` holds back */
    const struct guard *guard;
};

/* Starts the clock of one lookup, which runs within `guard` (NULL: without one). */
struct connection connection_new(const struct guard *guard);

/* CLOCK_MONOTONIC in milliseconds, truncated to 32 bits, which every processor can store atomically
 * without a helper library; never 0. */
uint32_t connection_stamp(void);

/* Connects; returns CONNECTION_SLOW at once for a second after a timeout. A lookup may reconnect
 * after closing. */
enum connection_result connection_connect(struct connection *connection);

enum connection_result connection_send(struct connection *connection, const void *data,
                                       size_t size);

/* Receives exactly `size` bytes. */
enum connection_result connection_receive(struct connection *connection, void *to, size_t size);

/* The same, with the descriptor attached to the first byte: owned by the caller, -1 if there is
 * none, also set on failure. */
enum connection_result connection_receive_descriptor(struct connection *connection, void *to,
                                                     size_t size, int *fd);

/* PENDING means that the daemon is itself waiting. CONNECTION_SLOW: it has taken too long. */
enum connection_result connection_extend(struct connection *connection);

/* Closes the connection if it is open; for __attribute__((cleanup)). */
void connection_close(struct connection *connection);
