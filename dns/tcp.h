/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TCP: listening sockets and their connections, on each of which any number of requests may follow
 * each other without waiting for the responses (RFC 7766).
 */
#pragma once

#include <stddef.h>
#include <systemd/sd-event.h>

#include "front.h"
#include "lib/util/error.h"

struct tcp;

#define TCP_CONNECTIONS_MAX 256u
#define TCP_IDLE_USEC 10000000u /* for a request to arrive, a response to be taken */

MUST_USE int tcp_new(struct tcp **tcpp, sd_event *event, struct front *front);

/* Takes ownership of the listening, non-blocking socket, even if it fails. */
MUST_USE int tcp_listen(struct tcp *tcp, int fd);

struct tcp *tcp_free(struct tcp *tcp); /* returns NULL */
