/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An IP address in binary, IPv4 as ::ffff:a.b.c.d, so that addresses compare as addresses however
 * they were written (rules 7 and 72).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/resolve/inet.h"

struct address {
    uint8_t bytes[16];
};

#define ADDRESS_TEXT_MAX 46 /* INET6_ADDRSTRLEN */

/* Parses the text of `length` bytes as Kubernetes does: dotted quads with leading zeroes accepted
 * as decimal, no zone, no port, no prefix. Returns false if it is not an address. */
bool address_parse(struct address *address, const char *text, size_t length);

/* Canonical text (RFC 5952), NUL-terminated. */
void address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX]);

/* From 4 or 16 bytes. */
static inline struct address address_from(const void *bytes, size_t size)
{
    struct address address;

    inet_map(address.bytes, bytes, size);
    return address;
}

static inline bool address_is_inet(const struct address *address)
{
    return inet_is_mapped(address->bytes);
}

/* 4 or 6 */
static inline int address_family(const struct address *address)
{
    return address_is_inet(address) ? 4 : 6;
}

/* 127.0.0.0/8 or ::1 */
bool address_is_loopback(const struct address *address);

/* Loopback, unspecified, link-local, multicast or broadcast: no address that is one host's for all
 * others. */
bool address_is_special(const struct address *address);

static inline int address_compare(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* An address range, prefix counted in the 128-bit form (IPv4: 96 + its own). */
struct address_range {
    struct address base; /* host bits zero */
    unsigned prefix;
};

/* Parses "10.96.0.0/16"; false if it is not a range or has host bits set. */
bool address_range_parse(struct address_range *range, const char *text);

#define ADDRESS_RANGE_TEXT_MAX (ADDRESS_TEXT_MAX + 4)
void address_range_format(const struct address_range *range,
                          char text[static ADDRESS_RANGE_TEXT_MAX]);
bool address_range_contains(const struct address_range *range, const struct address *address);
bool address_ranges_overlap(const struct address_range *a, const struct address_range *b);
