/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decides which client is served next: those with something to do, and the events that say so.
 * Users take turns, whatever the number of their clients, and so do the clients of a user.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "client.h"
#include "lib/util/error.h"
#include "quota.h"

struct scheduler;

struct scheduler_handler {
    /* Takes one step with the client, which is no longer ready: at most one request. May drop this
     * client and others. */
    void (*serve)(void *userdata, struct client *client);
    uint64_t (*now)(void); /* monotonic microseconds; NULL: CLOCK_MONOTONIC */
    void *userdata;
};

MUST_USE int scheduler_new(struct scheduler **schedulerp, sd_event *event,
                           const struct scheduler_handler *handler);
struct scheduler *scheduler_free(struct scheduler *scheduler); /* none is ready; NULL */

/* The client (which has a user) has something to do. It may already be ready. */
void scheduler_push(struct scheduler *scheduler, struct client *client);

/* Makes the client ready when the event it waits for comes: room to send, bytes to read, or, if it
 * is parked, its hang-up. Negative errno. */
MUST_USE int scheduler_watch(struct scheduler *scheduler, struct client *client);

/* Neither ready nor watched any longer; call before freeing it. */
void scheduler_remove(struct scheduler *scheduler, struct client *client);

/* Starts a step for a client that is not ready, out of turn, and returns when it began. False: the
 * user has no time left in this iteration of the event loop, or others of its clients come
 * first. */
bool scheduler_begin(const struct scheduler *scheduler, struct quota_user *user, uint64_t *beganp);
void scheduler_end(const struct scheduler *scheduler, struct quota_user *user, uint64_t began);
