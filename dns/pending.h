/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests waiting for an answer from elsewhere.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange.h"
#include "forward.h"
#include "front.h"

#define PENDING_MAX 2048u

struct pending {
    struct front *front;
    struct requester client;     /* its request is our own */
    GList link;                  /* in a queue of front's; its data is the pending itself */
    struct forward_query *query; /* one of these two, or none: a snapshot is awaited */
    struct exchange *exchange;
    GBytes *without; /* of the exchange: the response if the name has no addresses */
};

/* Copies the request, and the response to it without addresses (NULL: none). */
struct pending *pending_new(struct front *front, const struct requester *client,
                            const uint8_t *without, size_t without_size);

/* Cancels the query. The link must not be in a queue any more. */
void pending_free(struct pending *pending);
