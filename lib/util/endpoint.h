/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An IP address with a port, in the form used by sockets.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "address.h"

union endpoint {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
};

#define ENDPOINT_DNS 53      /* default port, that of nameservers */
#define ENDPOINT_TEXT_MAX 80 /* "[ADDRESS%interface]:PORT" */

/* Parses "ADDRESS", "ADDRESS:PORT", "IPV6" or "[IPV6]:PORT"; a link-local IPv6 address may be
 * followed by "%interface". False otherwise; the port is never 0. */
bool endpoint_parse(union endpoint *endpoint, const char *text, uint16_t default_port);

/* With the port, IPv6 in brackets; NUL-terminated. */
void endpoint_format(const union endpoint *endpoint, char text[static ENDPOINT_TEXT_MAX]);

socklen_t endpoint_size(const union endpoint *endpoint);
uint16_t endpoint_port(const union endpoint *endpoint);
void endpoint_address(const union endpoint *endpoint, struct address *address);
bool endpoint_equal(const union endpoint *a, const union endpoint *b); /* address and port */
bool endpoint_is_wildcard(const union endpoint *endpoint);             /* 0.0.0.0 or :: */
