/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The timeouts of waiting clients: those that wait for bytes to come or go are dropped in the end;
 * those parked for a nameserver get signs of life before that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "client.h"
#include "lib/util/error.h"

struct timeouts;

/* Each may drop the client, or make it wait for something else. */
struct timeouts_handler {
    void (*overdue)(void *userdata, struct client *client);      /* no byte came or went for 5 s */
    void (*send_pending)(void *userdata, struct client *client); /* parked: every 100 ms */
    void (*expire)(void *userdata, struct client *client);       /* parked: for 30 s now */
    void (*retry)(void *userdata, struct client *client);        /* parked: see timeouts_retry */
    void *userdata;
};

MUST_USE int timeouts_new(struct timeouts **timeoutsp, sd_event *event,
                          const struct timeouts_handler *handler);
struct timeouts *timeouts_free(struct timeouts *timeouts); /* must be empty; returns NULL */

/* Starts waiting for the client's peer; or for a nameserver. */
void timeouts_for_peer(struct timeouts *timeouts, struct client *client);
void timeouts_for_answer(struct timeouts *timeouts, struct client *client);
void timeouts_remove(struct timeouts *timeouts,
                     struct client *client); /* even if it is not waiting */

/* Calls `retry` from the event loop for every client that is parked now, a bounded number at once.
 */
void timeouts_retry(struct timeouts *timeouts);

size_t timeouts_parked(const struct timeouts *timeouts);
struct client *timeouts_any(const struct timeouts *timeouts); /* NULL: no client waits */
