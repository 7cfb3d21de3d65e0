/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is connected: the clients that could not be served at once, counted by user, and who has to
 * go when there are too many of them or too much waits to be sent.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client.h"

struct quota;

struct quota_user {
    uid_t uid;
    size_t bytes;   /* that wait to be sent */
    GQueue clients; /* the longest waiting first */

    /* Of the scheduler: */
    GQueue ready;              /* its clients that have something to do */
    GList turn;                /* while there are any */
    uint64_t iteration, spent; /* the last turn of the event loop, and microseconds in it */
};

/* At most so many clients, and so many bytes that wait to be sent (a single user: half of them). */
struct quota *quota_new(size_t clients_max, size_t bytes_max);
struct quota *quota_free(struct quota *quota); /* empty by now; returns NULL */

/* The user, who may have no client. It is forgotten by a later call of this, if it has none then.
 */
struct quota_user *quota_user(struct quota *quota, uid_t uid);

void quota_add(struct quota *quota, struct quota_user *user, struct client *client);
void quota_remove(struct quota *quota, struct client *client);

/* The client has got on: among its user's it is the youngest again, and its rest may be another. */
void quota_update(struct quota *quota, struct client *client);

/* The client to drop now: the longest waiting one of the user that holds most, so that nobody can
 * lock others out. NULL: everything is within its limits. */
struct client *quota_excess(const struct quota *quota);

/* The same client, whether limits are kept or not. NULL: there is none. */
struct client *quota_oldest(const struct quota *quota);

size_t quota_count(const struct quota *quota);
