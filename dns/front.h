/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One request -> its response: from the snapshot at once, or later, through kubesvcd for addresses
 * of names outside the zone, and through the nameservers for foreign names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/util/endpoint.h"
#include "lib/util/error.h"

struct front;

/* A request, and how its sender receives a response that is not immediate. */
struct requester {
    union endpoint from, own; /* its address, and the one it queried */
    bool tcp;
    const uint8_t *request;
    size_t request_size;
    void *connection; /* its TCP connection, or its UDP socket */
    void (*reply)(const struct requester *client, const uint8_t *bytes, size_t size);
};

struct front_options {
    const char *socket;         /* kubesvcd's */
    char *const *zones;         /* the zones before there is a snapshot that names them */
    const char *ns;             /* namespace whose search list applies to short names, or
                                   NAMESPACE@ZONE; NULL: none */
    uint32_t ttl;               /* seconds */
    const char *const *forward; /* nameservers for foreign names, NULL or empty: refused */
    const union endpoint *own;  /* where requests come in */
    size_t n_own;
};

/* `ready` is called once, from the event loop, as soon as it is known whether there is a snapshot.
 */
MUST_USE int front_new(struct front **frontp, sd_event *event, const struct front_options *options,
                       void (*ready)(void *userdata), void *userdata);
struct front *front_free(struct front *front); /* returns NULL */

enum front_result {
    FRONT_ANSWERED, /* *size bytes of the response are in `response` */
    FRONT_IGNORED,
    FRONT_PENDING, /* client->reply is called, once, but for front_forget; perhaps while another
                      request is passed to front_ask */
};

/* `response` has room for `capacity` bytes, at least 512; of UDP no more is used than the client
 * takes. */
enum front_result front_ask(struct front *front, const struct requester *client, uint8_t *response,
                            size_t capacity, size_t *size);

/* The connection is gone: nothing more is sent to it. */
void front_forget(struct front *front, const void *connection);
