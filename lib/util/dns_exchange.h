/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One message to one nameserver and its answer, by UDP or TCP, from its own port and with a random
 * id.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "endpoint.h"

#define DNS_MESSAGE_MAX 65535

/* The size of the header and the one question of a message with QR 0 and opcode QUERY; 0 for any
 * other message. */
size_t dns_question_size(const uint8_t *message, size_t size);

/* Does it have the id and the question of a message, whose first `question_size` bytes are as
 * above? Some servers do not repeat the question in an answer to a message that they did not
 * understand. */
bool dns_is_answer(const uint8_t *question, size_t question_size, const uint8_t *answer,
                   size_t size);

struct dns_exchange;

/* The answer, with the id of the exchange, valid until this returns or the exchange is freed, which
 * this may do. It comes from the server, has the id and repeats the question. Size 0: the server
 * cannot be reached. Called once, for UDP and TCP. */
typedef void (*dns_exchange_done)(void *userdata, uint8_t *message, size_t size);

/* Sends the message, which has a question as above. `buffer` takes what is received, 65535 bytes,
 * and may be shared. NULL: sending failed. `done` is called from the event loop. */
struct dns_exchange *dns_exchange_new(sd_event *event, bool tcp, const union endpoint *server,
                                      const uint8_t *message, size_t size, uint8_t *buffer,
                                      dns_exchange_done done, void *userdata);
struct dns_exchange *dns_exchange_free(struct dns_exchange *exchange); /* returns NULL */

/* Sends it again by UDP; by TCP, where nothing gets lost, does nothing. False: sending failed. */
bool dns_exchange_repeat(struct dns_exchange *exchange);

bool dns_exchange_is_from(const struct dns_exchange *exchange, const union endpoint *source);
