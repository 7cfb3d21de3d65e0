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

struct dns_message {
    enum external_state state; /* FOUND, NODATA or FAILED */
    uint32_t ttl;              /* seconds, as received; UINT32_MAX: none given */
    GByteArray *addresses;
    GPtrArray *aliases; /* char *: see struct external_answer */
};

struct dns_message *dns_message_new(void);                       /* FAILED */
struct dns_message *dns_message_free(struct dns_message *reply); /* returns NULL */

/* Reads a DNS message of rcode NOERROR or NXDOMAIN. FAILED: it is damaged. */
void dns_message_read(struct dns_message *reply, const uint8_t *data, size_t size, const char *name,
                      enum kubesvc_family family);

/* Reads an entry of the hosts file of the requested family. */
void dns_message_read_host(struct dns_message *reply, const struct hostent *host, const char *name);
