/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Relays questions about foreign names to nameservers: the message is forwarded as received, but
 * with its own id and source port, and its answer is returned unchanged. Nothing is cached.
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
    /* NULL-terminated, as forward_parse_server takes them, in the order to try them */
    const char *const *servers;
    const char *resolv_conf;   /* the file that "resolv.conf" means; NULL: /etc/resolv.conf */
    const union endpoint *own; /* where we listen: never queried */
    size_t n_own;
};

/* What is wrong with a nameserver, NULL if it is valid: ADDRESS, ADDRESS:PORT, [IPV6]:PORT, or
 * "resolv.conf" for those of that file, which is followed. */
const char *forward_parse_server(const char *text);

/* Copies the options. Having no server is not an error: resolv.conf may name one later, and until
 * then every question fails. */
struct forward *forward_new(sd_event *event, const struct forward_options *options);
struct forward *forward_free(struct forward *forward); /* drops what is pending; returns NULL */

/* The answer, with the id that the client gave, until this returns. Size 0: there is none, which is
 * SERVFAIL. Called once, from the event loop or from forward_ask for another query of the same
 * client, and never after forward_cancel. */
typedef void (*forward_reply)(void *userdata, const uint8_t *message, size_t size);

struct forward_client {
    union endpoint from; /* the sender: each has a share of what may be pending */
    bool tcp;            /* asked and answered by TCP, else by UDP */
    size_t limit;        /* bytes that it accepts; a larger answer is cut to its head, with TC */
    forward_reply reply;
    void *userdata;
};

/* Relays one question: opcode QUERY, QDCOUNT 1. Returns NULL, which means SERVFAIL as well, if it
 * is malformed, there is no nameserver, or too much is pending. */
struct forward_query *forward_ask(struct forward *forward, const uint8_t *message, size_t size,
                                  const struct forward_client *client);
struct forward_query *forward_cancel(struct forward_query *query); /* returns NULL */
