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

struct roster;

struct roster_user {
    uid_t uid;
    size_t bytes;   /* that wait to be sent */
    GQueue clients; /* the longest waiting first */

    /* Of the scheduler: */
    GQueue ready;              /* its clients that have something to do */
    GList turn;                /* while there are any */
    uint64_t iteration, spent; /* the last turn of the event loop, and microseconds in it */
};

/* At most so many clients, and so many bytes that wait to be sent (a single user: half of them). */
struct roster *roster_new(size_t clients_max, size_t bytes_max);
struct roster *roster_free(struct roster *roster); /* empty by now; returns NULL */

/* The user, who may have no client. It is forgotten by a later call of this, if it has none then.
 */
struct roster_user *roster_user(struct roster *roster, uid_t uid);

void roster_add(struct roster *roster, struct roster_user *user, struct client *client);
void roster_remove(struct roster *roster, struct client *client);

/* The client has got on: among its user's it is the youngest again, and its rest may be another. */
void roster_update(struct roster *roster, struct client *client);

/* The client to drop now: the longest waiting one of the user that holds most, so that nobody can
 * lock others out. NULL: everything is within its limits. */
struct client *roster_excess(const struct roster *roster);

/* The same client, whether limits are kept or not. NULL: there is none. */
struct client *roster_oldest(const struct roster *roster);

size_t roster_count(const struct roster *roster);
