/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dashed labels are CoreDNS's: an address's canonical text with every '.' and ':' turned into '-'.
 * Reading one back is ambiguous; rule 64 decides between the families.
 */
#include "dashed.h"

#include <arpa/inet.h>
#include <string.h>

#include "name.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

size_t dashed_format(const uint8_t address[static 16], char label[static DASHED_MAX])
{
    bool inet = memcmp(address, mapped, sizeof mapped) == 0;
    size_t length;

    inet_ntop(inet ? AF_INET : AF_INET6, inet ? address + sizeof mapped : address, label,
              DASHED_MAX - 1);
    length = strlen(label);
    for (size_t i = 0; i < length; i++)
        if (label[i] == '.' || label[i] == ':')
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
    memcpy(address, mapped, sizeof mapped);
    return inet_pton(AF_INET, text, address + sizeof mapped) == 1;
}

bool dashed_parse_canonical(const char *label, size_t length, uint8_t address[static 16])
{
    char canonical[DASHED_MAX];

    return dashed_parse(label, length, address) &&
           name_equal(label, length, canonical, dashed_format(address, canonical));
}
