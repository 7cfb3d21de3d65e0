/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DNS client: sends queries on the event loop with c-ares, and tracks which servers are
 * configured.
 */
#pragma once

#include <glib.h>
#include <netdb.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/util/error.h"
#include <kubesvc/protocol.h>

struct dns_client;

/* A message that answers the question, or NULL: no server answered. */
typedef void (*dns_client_answered)(void *userdata, const uint8_t *message, size_t size);

/* `addresses` (char *, "ADDRESS" or "ADDRESS:PORT"), or, if it is empty, those of the file
 * `resolv_conf`, which is followed: `changed` is called when they may have changed. -EINVAL:
 * invalid addresses. */
MUST_USE int dns_client_new(struct dns_client **clientp, sd_event *event,
                            const GPtrArray *addresses, const char *resolv_conf,
                            void (*changed)(void *userdata), void *userdata);

/* Drops pending queries. Returns NULL. */
struct dns_client *dns_client_free(struct dns_client *client);

/* Switches to other servers, also for pending queries. On failure the old ones remain. */
MUST_USE int dns_client_configure(struct dns_client *client, const GPtrArray *addresses);

/* Asks for the addresses of an absolute name. `answered` is called once, possibly before this
 * returns, with the `userdata` given here. Without an answer it takes about five seconds. */
void dns_client_ask(struct dns_client *client, const char *name, enum kubesvc_family family,
                    dns_client_answered answered, void *userdata);

/* The entry of the hosts file for the name, without waiting; to be freed with ares_free_hostent.
 * NULL: none in this family. */
struct hostent *dns_client_host(const struct dns_client *client, const char *name,
                                enum kubesvc_family family);
