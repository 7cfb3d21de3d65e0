/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sockets and timeouts of one c-ares channel on the event loop.
 */
#pragma once

#include <ares.h>
#include <systemd/sd-event.h>

#include "error.h"

struct ares_loop;

/* Initialises c-ares, too. */
MUST_USE int ares_loop_new(struct ares_loop **loopp, sd_event *event);
struct ares_loop *ares_loop_free(struct ares_loop *loop); /* destroys its channel; returns NULL */

/* For a new channel: the callback for the state of sockets, with the loop as its `userdata`. */
void ares_loop_on_state(void *userdata, ares_socket_t fd, int readable, int writable);

/* Destroys the channel that it had and takes this one over; NULL: none. */
void ares_loop_set(struct ares_loop *loop, ares_channel channel);
ares_channel ares_loop_channel(const struct ares_loop *loop); /* NULL: none */

/* To be called after every query: waits for the next timeout. */
void ares_loop_arm(struct ares_loop *loop);

/* Negative errno for a status of c-ares. */
int ares_loop_errno(int status);
