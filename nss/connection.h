/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection of one lookup to the daemon, and the clock that all of it runs against.
 *
 * Nothing survives a lookup but one stamp for the whole process: when the daemon last let one time
 * out. No descriptor, lock, thread-local or allocation is kept (guest rules 46, 47, 50, 51).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard.h"

enum connection_result {
    CONNECTION_OK,
    CONNECTION_ABSENT,  /* no socket that this process may connect to: no daemon is meant to run */
    CONNECTION_REFUSED, /* no daemon behind the socket, or none that speaks the protocol */
    CONNECTION_SLOW,    /* no answer in time, or left alone because there was none lately */
    CONNECTION_EXHAUSTED, /* no descriptor or no memory */
    CONNECTION_URGED,     /* a signal waits: close, leave the guard, and begin again */
};

struct connection {
    int fd;           /* -1: not connected */
    int64_t deadline; /* CLOCK_MONOTONIC, milliseconds; for all that a lookup sends and receives */
    int64_t limit;    /* what PENDING may move the deadline to */
    int64_t look;     /* when to look for signals that `guard` keeps waiting */
    const struct guard *guard;
};

/* Starts the clock of one lookup, which takes place within `guard` (NULL: without one). */
struct connection connection_new(const struct guard *guard);

/* Milliseconds of CLOCK_MONOTONIC, in the 32 bits that every processor can store at once without a
 * helper library; never 0. */
uint32_t connection_stamp(void);

/* Connects; CONNECTION_SLOW at once for a second after a time-out. A lookup may connect again: it
 * closes first. */
enum connection_result connection_connect(struct connection *connection);

enum connection_result connection_send(struct connection *connection, const void *data,
                                       size_t size);

/* Receives exactly `size` bytes. */
enum connection_result connection_receive(struct connection *connection, void *to, size_t size);

/* The same, with the descriptor that came with the first of them: the caller's from now on, -1 for
 * none, also after a failure. */
enum connection_result connection_receive_descriptor(struct connection *connection, void *to,
                                                     size_t size, int *fd);

/* PENDING says that the daemon waits for somebody itself. False: for too long. */
bool connection_extend(struct connection *connection);

/* Closes the connection if there is one; for __attribute__((cleanup)). */
void connection_close(struct connection *connection);
