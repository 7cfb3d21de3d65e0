/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listener: the listening socket at its path, and accepting on it. A socket file that is removed or
 * replaced is recreated within about a second.
 */
#pragma once

#include <systemd/sd-event.h>

#include "acceptor.h"
#include "lib/util/error.h"

struct listener;

enum { LISTENER_BUSY = 1 };

/* Listens at `path`, with the socket `adopted` if it does so already (-1: none; takes ownership).
 * LISTENER_BUSY: another daemon answers there. -EPERM: other users may write to its directory
 * (lib/util/exposure.h). */
MUST_USE int listener_new(struct listener **listenerp, sd_event *event, const char *path,
                          int adopted, const struct acceptor_handler *handler);

/* The socket stays when the listener is freed. `kept` gets its descriptor, now and whenever another
 * takes its place. */
void listener_keep(struct listener *listener, void (*kept)(void *userdata, int fd), void *userdata);
struct listener *listener_free(struct listener *listener); /* returns NULL */
