/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies the parts of a later response: the request's buffer is reused by then.
 */
#include "pending.h"

struct pending *pending_new(struct front *front, const struct requester *client,
                            const uint8_t *without, size_t without_size)
{
    struct pending *pending = g_new0(struct pending, 1);

    pending->front = front;
    pending->client = *client;
    pending->client.request = g_memdup2(client->request, client->request_size);
    pending->link.data = pending;
    if (without)
        pending->without = g_bytes_new(without, without_size);
    return pending;
}

void pending_free(struct pending *pending)
{
    forward_cancel(pending->query);
    exchange_free(pending->exchange);
    g_free((uint8_t *)pending->client.request);
    g_clear_pointer(&pending->without, g_bytes_unref);
    g_free(pending);
}
