/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One connection: bytes received, bytes not sent yet, and the events it waits for. What is
 * answered, and how long it may take, is up to the server.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "answer.h"
#include "request.h"

struct client {
    int fd;
    size_t received; /* in `input` */

    uint8_t *rest; /* what the socket did not take; NULL: nothing is left to send */
    size_t rest_size, rest_sent;

    uint64_t since; /* when the first bytes of the request arrived, CLOCK_MONOTONIC, microseconds */
    bool parked;    /* waiting for a nameserver */
    bool reserved;  /* parked: the name must not be asked of others (struct search_result) */
    bool last;      /* the connection ends with the answer that was sent last */

    /* Of the scheduler: */
    GList ready;
    bool is_ready;    /* in its user's queue */
    bool hung_up;     /* the peer has closed the connection */
    uint32_t watched; /* the events it is woken by; 0: none */

    /* Of the timeouts: */
    GQueue *queue; /* that `turn` is in */
    GList turn;
    uint64_t parked_at, due;

    /* Of the quota: */
    struct quota_user *user;
    GList by_user;
    size_t charged;

    /* Not cleared at first: */
    struct request request; /* the last one taken */
    uint8_t input[REQUEST_FRAME_MAX];
};

enum {
    CLIENT_WAIT = 1, /* not now: bytes are missing, or the socket is full */
    CLIENT_DONE,     /* the last answer that it wanted is out */
    CLIENT_GONE,     /* closed or broken: nothing more can be done with it */
};

struct client *client_new(int fd /* takes ownership */);
struct client *client_free(struct client *client); /* returns NULL */

/* The peer's; peers unknown to the kernel share one. */
uid_t client_uid(const struct client *client);

/* Receives what fits. 0: some bytes arrived. CLIENT_WAIT, CLIENT_GONE. */
MUST_USE int client_receive(struct client *client);

/* Takes the next received request, into `client->request`. 0, REQUEST_INCOMPLETE or REQUEST_BAD. */
MUST_USE int client_take(struct client *client);

/* Sends the answer to the request, keeping a copy of what the socket does not take (then `rest` is
 * set). Only while there is no rest. 0, CLIENT_DONE or CLIENT_GONE. */
MUST_USE int client_send(struct client *client, struct answer *answer);

/* Sends a small answer and a descriptor with it, at once. CLIENT_WAIT: nothing was sent, for
 * instance because too many descriptors are in flight to clients that do not read. 0, CLIENT_DONE
 * or CLIENT_GONE. */
MUST_USE int client_pass(struct client *client, struct answer *answer, int fd);

/* Sends a few bytes if the socket has room for them and drops them if not: anything as small as a
 * header is taken whole or not at all. 0 or CLIENT_GONE. */
MUST_USE int client_offer(struct client *client, const void *data, size_t size);

/* Sends more of the rest. 0: all or some of it went. CLIENT_WAIT, CLIENT_DONE, CLIENT_GONE. */
MUST_USE int client_flush(struct client *client);
