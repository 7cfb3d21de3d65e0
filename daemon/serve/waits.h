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

struct waits;

/* Each may drop the client, or let it wait for something else. */
struct waits_handler {
    void (*overdue)(void *userdata, struct client *client); /* no byte came or went for 5 s */
    void (*remind)(void *userdata, struct client *client);  /* parked: every 100 ms */
    void (*expire)(void *userdata, struct client *client);  /* parked: for 30 s now */
    void (*retry)(void *userdata, struct client *client);   /* parked: see waits_retry */
    void *userdata;
};

MUST_USE int waits_new(struct waits **waitsp, sd_event *event, const struct waits_handler *handler);
struct waits *waits_free(struct waits *waits); /* empty by now; returns NULL */

/* From now on the client waits for its peer; or for a nameserver. */
void waits_for_peer(struct waits *waits, struct client *client);
void waits_for_answer(struct waits *waits, struct client *client);
void waits_remove(struct waits *waits, struct client *client); /* also if it does not wait */

/* Calls `retry` from the event loop for every client that is parked now, a bounded number at once.
 */
void waits_retry(struct waits *waits);

size_t waits_parked(const struct waits *waits);
struct client *waits_any(const struct waits *waits); /* NULL: nobody waits */
