/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Accepts connections in batches, and degrades gracefully when descriptors run out.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "lib/util/error.h"

struct acceptor;

struct acceptor_handler {
    void (*on_accept)(void *userdata,
                      int fd);     /* a connection, non-blocking; takes ownership of `fd` */
    bool (*evict)(void *userdata); /* closes some connection; false: there is none */
    void *userdata;
};

/* `listening` remains the caller's. */
MUST_USE int acceptor_new(struct acceptor **acceptorp, sd_event *event, int listening,
                          const struct acceptor_handler *handler);
struct acceptor *acceptor_free(struct acceptor *acceptor); /* returns NULL */
