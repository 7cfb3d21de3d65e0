/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way in: the listening socket at its path and who accepts there. A socket file that somebody
 * removes or replaces is made anew within a second or so.
 */
#pragma once

#include <systemd/sd-event.h>

#include "acceptor.h"
#include "lib/util/error.h"

struct entrance;

#define ENTRANCE_BUSY 1

/* Listens at `path`, with the socket `adopted` if it does so already (-1: none; it passes on).
 * ENTRANCE_BUSY: another daemon answers there. -EPERM: others may write to its
 * directory (lib/util/exposure.h). */
MUST_USE int entrance_new(struct entrance **entrancep, sd_event *event, const char *path,
                          int adopted, const struct acceptor_handler *handler);

/* The socket stays when the entrance is freed; its descriptor. */
int entrance_keep(struct entrance *entrance);
struct entrance *entrance_free(struct entrance *entrance); /* returns NULL */
