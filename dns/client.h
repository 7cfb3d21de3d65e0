/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who asks a question, and how it is told the answer if that does not come at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/endpoint.h"

struct client {
    union endpoint from, own; /* its address, and the one that it asked */
    bool tcp;
    void *connection; /* its TCP connection, or its UDP socket */
    void (*reply)(const struct client *client, const uint8_t *bytes, size_t size);
};
