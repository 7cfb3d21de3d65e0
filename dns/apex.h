/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The records that make a zone one: SOA, NS, the nameserver's own address, and dns-version.
 */
#pragma once

#include <stdbool.h>

#include "response.h"

/* The question's name is that of the zone, or of something in it that is no object's, `below` is
 * what stands in front of the zone (nothing for the zone itself): writes what there is. False: it
 * is none of them. */
bool apex_write_own(const struct response_context *context, const struct settings *settings,
                    struct packet *packet, const char *below, size_t length);

/* The SOA record of a negative response: `rcode` is NOERROR for a name that exists. Its owner are
 * the last `length` characters of the question's name, 0: the zone, spelled out. */
void apex_write_negative(const struct response_context *context, const struct settings *settings,
                         struct packet *packet, enum packet_rcode rcode, size_t length);
