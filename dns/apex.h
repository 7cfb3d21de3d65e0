/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The zone's own records: SOA, NS, the nameserver's own address, and dns-version.
 */
#pragma once

#include <stdbool.h>

#include "response.h"

/* The question's name is that of the zone, or of something in it that belongs to no object; `below`
 * is the part before the zone (empty for the zone itself): writes its records. False: it is
 * neither. */
bool apex_write_own(const struct response_context *context, const struct settings *settings,
                    struct packet *packet, const char *below, size_t length);

/* The SOA record of a zone by the question's name, as its answer. */
void apex_write_soa(const struct response_context *context, const struct settings *settings,
                    struct packet *packet);

/* The SOA record of a negative response: `rcode` is NOERROR for a name that exists. Its owner is
 * the last `length` characters of the question's name, 0: the zone, spelled out. */
void apex_write_negative(const struct response_context *context, const struct settings *settings,
                         struct packet *packet, enum packet_rcode rcode, size_t length);
