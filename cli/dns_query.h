/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One question to one nameserver, as a program with a resolver of its own asks it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/util/endpoint.h"
#include "lib/util/error.h"

#define DNS_TEXT_MAX 1025 /* a name as text, with its escapes */

/* By UDP, then by TCP if the answer was truncated. -EINVAL: not a valid DNS name; -ETIMEDOUT or
 * -ECONNREFUSED: no answer; else 0 and *answerp, with a complete header, to be freed with g_free.
 * Takes up to two seconds. */
MUST_USE int dns_query_ask(const union endpoint *server, const char *name, unsigned type,
                           uint8_t **answerp, size_t *sizep);

/* "NXDOMAIN" */
const char *dns_query_rcode(unsigned rcode);

struct dns_record {
    unsigned type;
    const uint8_t *data; /* in the message */
    size_t size;
};

/* Called for each record of the answer section. */
typedef void (*dns_query_record)(void *userdata, const uint8_t *message, size_t size,
                                 const struct dns_record *record);

/* False: the message is malformed; earlier records were reported. */
bool dns_query_records(const uint8_t *message, size_t size, dns_query_record tell, void *userdata);

/* Reads a name at `at` of the message, without final dot; false: it is malformed. */
bool dns_query_name(const uint8_t *message, size_t size, const uint8_t *at,
                    char text[static DNS_TEXT_MAX]);
