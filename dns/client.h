/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sender of a question, and how it receives an answer that is not immediate.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/endpoint.h"

struct requester {
    union endpoint from, own; /* its address, and the one it queried */
    bool tcp;
    void *connection; /* its TCP connection, or its UDP socket */
    void (*reply)(const struct requester *client, const uint8_t *bytes, size_t size);
};
