/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Accounting of clients that could not be served at once, by user, and the choice of which to drop
 * when there are too many of them or too many bytes wait to be sent.
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
    GQueue ready;              /* its clients that are ready */
    GList turn;                /* while there are any */
    uint64_t iteration, spent; /* its last iteration of the event loop, and microseconds in it */
};

/* Limits on clients and on bytes waiting to be sent (a single user: half of them). */
struct quota *quota_new(size_t clients_max, size_t bytes_max);
struct quota *quota_free(struct quota *quota); /* must be empty; returns NULL */

/* The user, possibly without clients. A later call of this frees it if it has none then. */
struct quota_user *quota_user(struct quota *quota, uid_t uid);

void quota_add(struct quota *quota, struct quota_user *user, struct client *client);
void quota_remove(struct quota *quota, struct client *client);

/* The client has made progress: it becomes its user's youngest again, and its rest may have
 * changed. */
void quota_update(struct quota *quota, struct client *client);

/* The client to drop now: the longest waiting one of the user that holds most, so that no user can
 * lock others out. NULL: everything is within limits. */
struct client *quota_excess(const struct quota *quota);

/* The same client, even within limits. NULL: there is none. */
struct client *quota_oldest(const struct quota *quota);

size_t quota_count(const struct quota *quota);
