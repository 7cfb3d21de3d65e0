/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses and ranges: text to binary and back. The C library's own functions are not enough: they
 * reject the leading zeroes that Kubernetes accepts, and they write some IPv6 addresses with a
 * dotted quad, from which no endpoint name can be made (rule 36).
 */
#include "address.h"

#include <arpa/inet.h>
#include <glib.h>
#include <stdio.h>
#include <sys/socket.h>

#define GROUPS 8

static bool parse_quad(uint8_t quad[static 4], const char *text, size_t length)
{
    size_t at = 0;

    for (unsigned part = 0; part < 4; part++) {
        unsigned value = 0;
        size_t start;

        if (part > 0 && (at == length || text[at++] != '.'))
            return false;
        start = at;
        for (; at < length && g_ascii_isdigit(text[at]); at++) {
            value = value * 10 + (unsigned)(text[at] - '0');
            if (value > 255)
                return false;
        }
        if (at == start)
            return false;
        quad[part] = (uint8_t)value;
    }
    return at == length;
}

static bool parse_inet6(uint8_t bytes[static 16], const char *text, size_t length)
{
    char copy[ADDRESS_TEXT_MAX];
    const char *colon = memrchr(text, ':', length);
    size_t head, tail;

    if (!colon)
        return false;
    head = (size_t)(colon - text) + 1;
    tail = length - head;
    if (tail > 0 && memchr(colon + 1, '.', tail)) {
        uint8_t quad[4];

        /* a quad at the end is rewritten, so that it may have leading zeroes too */
        if (head + sizeof "ffff:ffff" > sizeof copy || !parse_quad(quad, colon + 1, tail))
            return false;
        memcpy(copy, text, head);
        snprintf(copy + head, sizeof copy - head, "%x:%x", (unsigned)(quad[0] << 8 | quad[1]),
                 (unsigned)(quad[2] << 8 | quad[3]));
    } else {
        if (length >= sizeof copy)
            return false;
        memcpy(copy, text, length);
        copy[length] = '\0';
        if (strlen(copy) != length)
            return false;
    }
    return inet_pton(AF_INET6, copy, bytes) == 1;
}

bool address_parse(struct address *address, const char *text, size_t length)
{
    struct address parsed;

    if (length == 0)
        return false;
    memcpy(parsed.bytes, inet_prefix, sizeof inet_prefix);
    if (!parse_quad(parsed.bytes + INET_OFFSET, text, length) &&
        !parse_inet6(parsed.bytes, text, length))
        return false;
    *address = parsed;
    return true;
}

/* The first longest run of at least two zero groups, which "::" abbreviates. */
static unsigned longest_gap(const unsigned groups[static GROUPS], unsigned *length)
{
    unsigned best = 0, best_length = 1, run = 0;

    for (unsigned i = 0; i < GROUPS; i++) {
        run = groups[i] == 0 ? run + 1 : 0;
        if (run > best_length) {
            best_length = run;
            best = i + 1 - run;
        }
    }
    *length = best_length > 1 ? best_length : 0;
    return best;
}

bool address_is_loopback(const struct address *address)
{
    static const struct address loopback = {.bytes = {[15] = 1}};

    return address_is_inet(address) ? address->bytes[12] == 127
                                    : address_compare(address, &loopback) == 0;
}

bool address_is_special(const struct address *address)
{
    static const struct address unspecified;
    const uint8_t *b = address->bytes;

    if (address_is_loopback(address))
        return true;
    if (address_is_inet(address))
        return b[12] == 0 || (b[12] == 169 && b[13] == 254) || (b[12] & 0xf0) == 224 ||
               (b[12] & b[13] & b[14] & b[15]) == 255;
    return address_compare(address, &unspecified) == 0 || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) ||
           b[0] == 0xff;
}

void address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX])
{
    const uint8_t *b = address->bytes;
    unsigned groups[GROUPS], gap, gap_length;
    size_t at = 0;

    if (address_is_inet(address)) {
        snprintf(text, ADDRESS_TEXT_MAX, "%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
        return;
    }
    for (unsigned i = 0; i < GROUPS; i++)
        groups[i] = (unsigned)b[2 * i] << 8 | b[2 * i + 1];
    gap = longest_gap(groups, &gap_length);
    text[0] = '\0';
    for (unsigned i = 0; i < GROUPS; i++) {
        if (gap_length > 0 && i == gap) {
            at += (size_t)snprintf(text + at, ADDRESS_TEXT_MAX - at, "::");
            i += gap_length - 1;
            continue;
        }
        at += (size_t)snprintf(text + at, ADDRESS_TEXT_MAX - at, "%s%x",
                               at == 0 || text[at - 1] == ':' ? "" : ":", groups[i]);
    }
}

static bool host_bits_zero(const struct address_range *range)
{
    for (unsigned bit = range->prefix; bit < 128; bit++) {
        if (range->base.bytes[bit / 8] & (0x80u >> bit % 8))
            return false;
    }
    return true;
}

bool address_range_parse(struct address_range *range, const char *text)
{
    struct address_range parsed;
    const char *slash = strchr(text, '/');
    guint64 prefix, more;

    if (!slash || !address_parse(&parsed.base, text, (size_t)(slash - text)))
        return false;
    more = memchr(text, ':', (size_t)(slash - text)) ? 0 : 96;
    if (strlen(slash + 1) > 3 ||
        !g_ascii_string_to_unsigned(slash + 1, 10, 0, 128 - more, &prefix, NULL))
        return false;
    parsed.prefix = (unsigned)(prefix + more);
    if (!host_bits_zero(&parsed))
        return false;
    *range = parsed;
    return true;
}

void address_range_format(const struct address_range *range,
                          char text[static ADDRESS_RANGE_TEXT_MAX])
{
    char base[ADDRESS_TEXT_MAX];

    address_format(&range->base, base);
    snprintf(text, ADDRESS_RANGE_TEXT_MAX, "%s/%u", base,
             address_is_inet(&range->base) ? range->prefix - 96 : range->prefix);
}

bool address_range_contains(const struct address_range *range, const struct address *address)
{
    unsigned whole = range->prefix / 8, rest = range->prefix % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);

    /* ::/0 holds every IPv6 address, but no IPv4 */
    if (address_family(&range->base) != address_family(address))
        return false;
    if (memcmp(range->base.bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || ((range->base.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

/* Ranges that overlap are equal, or one contains the other. */
bool address_ranges_overlap(const struct address_range *a, const struct address_range *b)
{
    return address_range_contains(a, &b->base) || address_range_contains(b, &a->base);
}
