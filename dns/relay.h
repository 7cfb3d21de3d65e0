/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One message on its way to the nameservers, one after the other, until one answers.
 *
 * Each server is given a share of five seconds: by UDP it is asked twice, the second time with
 * twice the time of the first, and by TCP once. A server that cannot be reached, or answers that it
 * failed or will not answer, is not asked again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/util/dns_exchange.h"
#include "upstreams.h"

struct relay;

/* What all relays of a program have in common. */
struct relay_context {
    sd_event *event;
    struct upstreams *upstreams;
    uint8_t buffer[DNS_MESSAGE_MAX]; /* what was received last */
};

/* The answer under the id of the message, until this returns; size 0: no server answered. Called
 * once, from the event loop; free the relay then. */
typedef void (*relay_done)(void *userdata, uint8_t *message, size_t size);

/* `message` has a question (dns_question_size). NULL: there is no server that could be asked. */
struct relay *relay_new(struct relay_context *context, bool tcp, const uint8_t *message,
                        size_t size, relay_done done, void *userdata);
struct relay *relay_free(struct relay *relay); /* returns NULL */

/* Asks the servers of the moment, from the first on. */
void relay_restart(struct relay *relay);

/* The server that was asked from this address and port, NULL if none was. */
const union endpoint *relay_asked_from(const struct relay *relay, const union endpoint *source);

/* A server that was asked at this address, whatever its port; NULL: none. */
const union endpoint *relay_asked_at(const struct relay *relay, const struct address *address);
