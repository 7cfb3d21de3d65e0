/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names below in-addr.arpa and ip6.arpa: the address that one spells, or the beginning of one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/address.h"

struct reverse_name {
    bool inet;              /* else IPv6 */
    bool below;             /* the name has further labels, which are none of an address */
    unsigned bits;          /* of the address that the name says, 32 or 128: all */
    struct address address; /* missing bits are 0 */
    size_t top_length;      /* of "in-addr.arpa" or "ip6.arpa" at its end */
};

/* False: not such a name. */
bool reverse_parse(struct reverse_name *reverse, const char *name, size_t length);

/* The length of that end of the name which says `bits` of the address. */
size_t reverse_suffix(const struct reverse_name *reverse, const char *name, size_t length,
                      unsigned bits);
