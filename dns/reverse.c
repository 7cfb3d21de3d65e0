/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Labels are read from the right: octets in decimal, nibbles in hexadecimal. Any other label means
 * that no address has this name, although those of the labels behind it may be ours.
 */
#include "reverse.h"

#include <string.h>

#include "lib/resolve/name.h"

static const char inet_top[] = "in-addr.arpa", inet6_top[] = "ip6.arpa";

/* 0 to 255 as a server of such a zone spells it: no leading zero. */
static bool parse_octet(const char *label, size_t length, uint8_t *value)
{
    unsigned n = 0;

    if (length < 1 || length > 3 || (length > 1 && label[0] == '0'))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (label[i] < '0' || label[i] > '9')
            return false;
        n = n * 10 + (unsigned)(label[i] - '0');
    }
    *value = (uint8_t)n;
    return n <= UINT8_MAX;
}

static bool parse_nibble(const char *label, size_t length, uint8_t *value)
{
    char c = name_fold(label[0]);

    if (length != 1 || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
        return false;
    *value = (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    return true;
}

/* One label more of the address; false: it is none. */
static bool take_label(struct reverse_name *reverse, const char *label, size_t length)
{
    uint8_t *bytes = reverse->address.bytes + (reverse->inet ? 12 : 0);
    uint8_t value;

    if (reverse->bits == (reverse->inet ? 32 : 128))
        return false;
    if (reverse->inet) {
        if (!parse_octet(label, length, &value))
            return false;
        bytes[reverse->bits / 8] = value;
        reverse->bits += 8;
        return true;
    }
    if (!parse_nibble(label, length, &value))
        return false;
    bytes[reverse->bits / 8] |= (uint8_t)(reverse->bits % 8 == 0 ? value << 4 : value);
    reverse->bits += 4;
    return true;
}

bool reverse_parse(struct reverse_name *reverse, const char *name, size_t length)
{
    *reverse = (struct reverse_name){.inet = true, .top_length = strlen(inet_top)};
    if (!name_has_suffix(name, length, inet_top, strlen(inet_top))) {
        *reverse = (struct reverse_name){.top_length = strlen(inet6_top)};
        if (!name_has_suffix(name, length, inet6_top, strlen(inet6_top)))
            return false;
    }
    if (reverse->inet)
        memcpy(reverse->address.bytes, inet_prefix, sizeof inet_prefix);
    size_t left = length - reverse->top_length;

    while (left > 0 && !reverse->below) {
        size_t end = --left; /* the dot behind the label */
        const char *dot = memrchr(name, '.', end);
        const char *label = dot ? dot + 1 : name;

        reverse->below = !take_label(reverse, label, (size_t)(name + end - label));
        left = (size_t)(label - name);
    }
    return true;
}

size_t reverse_suffix(const struct reverse_name *reverse, const char *name, size_t length,
                      unsigned bits)
{
    size_t start = length - reverse->top_length;

    for (unsigned labels = bits / (reverse->inet ? 8 : 4); labels > 0 && start > 0; labels--) {
        const char *dot = memrchr(name, '.', start - 1);

        start = dot ? (size_t)(dot + 1 - name) : 0;
    }
    return length - start;
}
