/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One request to kubesvcd and its response, without ever waiting for it: the socket is watched by
 * the event loop.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/util/error.h"
#include <kubesvc/protocol.h>

struct exchange;

#define EXCHANGE_ADDRESSES_MAX 512u /* that an answer can bring */

struct exchange_response {
    int error; /* negative errno: no response (-ENOENT, -EACCES: no daemon's socket is visible;
                  -ECONNREFUSED: no daemon behind it; -ETIME: it takes too long); else 0 */
    enum kubesvc_response_type type; /* not PENDING */
    const uint8_t *payload;
    size_t size;
    int fd; /* that came with it, -1: none; closed when the call returns */
};

/* Called once, from the event loop, after which the exchange is gone. */
typedef void (*exchange_done)(void *userdata, const struct exchange_response *response);

/* Requests the snapshot. Negative errno: as `error` above, or it cannot be sent now. */
MUST_USE int exchange_map(struct exchange **exchangep, sd_event *event, const char *path,
                          exchange_done done, void *userdata);

/* Requests the addresses of an absolute name, one of ours. */
MUST_USE int exchange_name(struct exchange **exchangep, sd_event *event, const char *path,
                           const char *name, enum kubesvc_family family, exchange_done done,
                           void *userdata);

struct exchange *exchange_free(struct exchange *exchange); /* cancels it; returns NULL */
