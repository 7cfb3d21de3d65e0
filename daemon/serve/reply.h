/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a nameserver or the hosts file replied for one name and one family.
 */
#pragma once

#include <glib.h>
#include <netdb.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/resolve/search.h"

struct reply {
    enum external_state state; /* FOUND, NODATA or FAILED */
    uint32_t ttl;              /* seconds, as received; UINT32_MAX: none given */
    GByteArray *addresses;
    GPtrArray *aliases; /* char *: see struct external_answer */
};

struct reply *reply_new(void);                 /* FAILED */
struct reply *reply_free(struct reply *reply); /* returns NULL */

/* Reads a DNS message of rcode NOERROR or NXDOMAIN. FAILED: it is damaged. */
void reply_read(struct reply *reply, const uint8_t *data, size_t size, const char *name,
                enum kubesvc_family family);

/* Reads an entry of the hosts file of the requested family. */
void reply_read_host(struct reply *reply, const struct hostent *host, const char *name);
