/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nameservers: sends queries on the event loop with c-ares, and tracks which servers are
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

struct nameservers;

/* A message that answers the question, or NULL: no server answered. */
typedef void (*nameservers_answered)(void *userdata, const uint8_t *message, size_t size);

/* `addresses` (char *, "ADDRESS" or "ADDRESS:PORT"), or, if it is empty, those of the file
 * `resolv_conf`, which is followed: `changed` is called when they may have changed. -EINVAL:
 * invalid addresses. */
MUST_USE int nameservers_new(struct nameservers **nameserversp, sd_event *event,
                             const GPtrArray *addresses, const char *resolv_conf,
                             void (*changed)(void *userdata), void *userdata);

/* Drops pending queries. Returns NULL. */
struct nameservers *nameservers_free(struct nameservers *nameservers);

/* Switches to other servers, also for pending queries. On failure the old ones remain. */
MUST_USE int nameservers_configure(struct nameservers *nameservers, const GPtrArray *addresses);

/* Asks for the addresses of an absolute name. `answered` is called once, possibly before this
 * returns, with the `userdata` given here. Without an answer it takes about five seconds. */
void nameservers_ask(struct nameservers *nameservers, const char *name, enum kubesvc_family family,
                     nameservers_answered answered, void *userdata);

/* The entry of the hosts file for the name, without waiting; to be freed with ares_free_hostent.
 * NULL: none in this family. */
struct hostent *nameservers_host(const struct nameservers *nameservers, const char *name,
                                 enum kubesvc_family family);
