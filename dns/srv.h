/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The SRV records of a Service, of one of its ports, or of one endpoint.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/resolve/lookup.h"
#include "response.h"

/* `lookup` has found the valid name of `length` characters, whose owner is at `place`. Writes the
 * records, and the addresses of their targets as far as there is room. False: it has none. */
bool srv_write(const struct response_context *context, const struct lookup *lookup,
               struct packet *packet, const char *name, size_t length, packet_place place);
