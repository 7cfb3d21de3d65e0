/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions about names that are not ours, relayed to nameservers: the message goes on as it came,
 * under an id and from a port of its own, and its answer comes back as it is. Nothing is kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/util/endpoint.h"
#include "lib/util/error.h"

struct forward;
struct forward_query; /* one that a client waits for */

#define FORWARD_SERVERS_MAX 8

struct forward_options {
    /* NULL-terminated, as forward_parse_server takes them, in the order in which they are tried. */
    const char *const *servers;
    const char *resolv_conf;   /* the file that "resolv.conf" means; NULL: /etc/resolv.conf */
    const union endpoint *own; /* where we listen: never asked */
    size_t n_own;
};

/* What is wrong with a nameserver, NULL if nothing is: it is ADDRESS, ADDRESS:PORT, [IPV6]:PORT, or
 * "resolv.conf" for those of that file, which is followed. */
const char *forward_parse_server(const char *text);

/* Copies the options. That no server can be asked is not an error: it may come with resolv.conf,
 * and until then every question fails. */
MUST_USE int forward_new(sd_event *event, const struct forward_options *options,
                         struct forward **forwardp);
struct forward *forward_free(struct forward *forward); /* drops what is pending; returns NULL */

/* The answer, with the id that the client gave, until this returns. Size 0: there is none, which is
 * SERVFAIL. Called once, from the event loop, and never after forward_cancel. */
typedef void (*forward_reply)(void *userdata, const uint8_t *message, size_t size);

struct forward_client {
    union endpoint from; /* who asks: each has a share of what may be pending */
    bool tcp;            /* asked and answered by TCP, else by UDP */
    size_t limit; /* bytes that it can take; of a larger answer it is sent the head, with TC */
    forward_reply reply;
    void *userdata;
};

/* Relays one question: opcode QUERY, QDCOUNT 1. Returns NULL if it cannot be asked, which is
 * SERVFAIL as well: it is malformed, there is no nameserver, or too much is pending. */
struct forward_query *forward_ask(struct forward *forward, const uint8_t *message, size_t size,
                                  const struct forward_client *client);
struct forward_query *forward_cancel(struct forward_query *query); /* returns NULL */
