/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dashed labels are CoreDNS's: an address's canonical text with every '.' and ':' turned into '-'.
 * Reading one back is ambiguous; rule 64 decides between the families.
 */
#include "dashed.h"

#include <arpa/inet.h>
#include <string.h>

#include "inet.h"
#include "name.h"

/* What inet_ntop() would make of it, which is written with sprintf(). */
static size_t format_inet(const uint8_t address[static 4], char *label)
{
    char *at = label;

    for (unsigned i = 0; i < 4; i++) {
        unsigned value = address[i];

        if (i > 0)
            *at++ = '-';
        if (value >= 100)
            *at++ = (char)('0' + value / 100);
        if (value >= 10)
            *at++ = (char)('0' + value / 10 % 10);
        *at++ = (char)('0' + value % 10);
    }
    *at = '\0';
    return (size_t)(at - label);
}

size_t dashed_format(const uint8_t address[static 16], char label[static DASHED_MAX])
{
    size_t length;

    if (inet_is_mapped(address))
        return format_inet(address + INET_OFFSET, label);
    inet_ntop(AF_INET6, address, label, DASHED_MAX - 1);
    length = strlen(label);
    for (size_t i = 0; i < length; i++)
        if (label[i] == '.' || label[i] == ':') /* a point: of an IPv4 address inside */
            label[i] = '-';
    if (label[length - 1] == '-') { /* rule 36 */
        label[length++] = '0';
        label[length] = '\0';
    }
    return length;
}

/* Exactly three dashes, no two of them adjacent (rule 64). */
static bool is_inet_label(const char *label, size_t length)
{
    unsigned dashes = 0;

    for (size_t i = 0; i < length; i++) {
        if (label[i] != '-')
            continue;
        if (i + 1 < length && label[i + 1] == '-')
            return false;
        dashes++;
    }
    return dashes == 3;
}

bool dashed_parse(const char *label, size_t length, uint8_t address[static 16])
{
    bool inet = is_inet_label(label, length);
    char text[DASHED_MAX];

    if (length >= sizeof text)
        return false;
    for (size_t i = 0; i < length; i++)
        text[i] = label[i] != '-' ? label[i] : inet ? '.' : ':';
    text[length] = '\0';

    /* Like CoreDNS's parser, neither accepts leading zeroes in dotted quads. */
    if (!inet)
        return inet_pton(AF_INET6, text, address) == 1;
    memcpy(address, inet_prefix, sizeof inet_prefix);
    return inet_pton(AF_INET, text, address + INET_OFFSET) == 1;
}

bool dashed_parse_canonical(const char *label, size_t length, uint8_t address[static 16])
{
    char canonical[DASHED_MAX];

    return dashed_parse(label, length, address) &&
           name_equal(label, length, canonical, dashed_format(address, canonical));
}
