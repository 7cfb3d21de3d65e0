/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sockets for requests: UDP and TCP, from the service manager or created here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/endpoint.h"
#include "lib/util/error.h"

#define SOCKETS_MAX 64u

struct sockets {
    size_t n;
    struct {
        int fd; /* non-blocking, close-on-exec */
        bool tcp;
        union endpoint own;
    } sockets[SOCKETS_MAX];
};

/* Those passed by the service manager, if any; else one of each kind for each of `n` addresses.
 * Errors are logged. */
MUST_USE int sockets_open(struct sockets *sockets, const union endpoint *addresses, size_t n);

/* Closes those that are not taken over (fd -1). */
void sockets_close(struct sockets *sockets);
