/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses of both families in 16 bytes: IPv4 behind the prefix ::ffff:0:0/96.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INET_OFFSET 12u /* of the four bytes */

static const uint8_t inet_prefix[INET_OFFSET] = {[10] = 0xff, [11] = 0xff};

static inline bool inet_is_mapped(const uint8_t address[static 16])
{
    return memcmp(address, inet_prefix, sizeof inet_prefix) == 0;
}

/* `size`: 4 or 16. */
static inline void inet_map(uint8_t address[static 16], const void *bytes, size_t size)
{
    memcpy(address, inet_prefix, sizeof inet_prefix);
    memcpy(address + 16 - size, bytes, size);
}
