/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Watching clients: streams of changes, and of questions if permitted, as they happen.
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "daemon/serve/server.h"

struct followers;

/* Observes the server's questions while a client follows them. */
struct followers *followers_new(sd_event *event, struct server *server);
struct followers *followers_free(struct followers *followers); /* returns NULL */

/* Sends a change. `time`: CLOCK_REALTIME, microseconds. */
void followers_emit(struct followers *followers, uint64_t time, const char *text);

enum followers_added { FOLLOWERS_ADDED, FOLLOWERS_BUSY, FOLLOWERS_DENIED };

/* `fd` stays the caller's. */
enum followers_added followers_add(struct followers *followers, int fd, const struct ucred *peer,
                                   bool questions);
