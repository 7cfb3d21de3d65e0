/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The clients that wait, and what the passing of time means for them: for those that wait for bytes
 * to come or go, an end; for those parked until a nameserver answers, signs of life and then an
 * end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "client.h"
#include "lib/util/error.h"

struct timeouts;

/* Each may drop the client, or let it wait for something else. */
struct timeouts_handler {
    void (*overdue)(void *userdata, struct client *client); /* no byte came or went for 5 s */
    void (*remind)(void *userdata, struct client *client);  /* parked: every 100 ms */
    void (*expire)(void *userdata, struct client *client);  /* parked: for 30 s now */
    void (*retry)(void *userdata, struct client *client);   /* parked: see timeouts_retry */
    void *userdata;
};

MUST_USE int timeouts_new(struct timeouts **timeoutsp, sd_event *event,
                          const struct timeouts_handler *handler);
struct timeouts *timeouts_free(struct timeouts *timeouts); /* empty by now; returns NULL */

/* From now on the client waits for its peer; or for a nameserver. */
void timeouts_for_peer(struct timeouts *timeouts, struct client *client);
void timeouts_for_answer(struct timeouts *timeouts, struct client *client);
void timeouts_remove(struct timeouts *timeouts,
                     struct client *client); /* also if it does not wait */

/* Calls `retry` from the event loop for every client that is parked now, a bounded number at once.
 */
void timeouts_retry(struct timeouts *timeouts);

size_t timeouts_parked(const struct timeouts *timeouts);
struct client *timeouts_any(const struct timeouts *timeouts); /* NULL: nobody waits */
