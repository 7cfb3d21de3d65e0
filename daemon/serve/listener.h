/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket file: taken over from a daemon that is gone, left alone if one is there, removed at
 * the end if it is still ours.
 */
#pragma once

#include <stdbool.h>

#include "lib/util/error.h"

struct listener;

enum {
    LISTENER_BUSY = 1, /* another daemon answers there */
    LISTENER_EXPOSED,  /* others own its directory, or may write to it (lib/util/exposure.h) */
};

/* Listens at `path`; its directory is made if it is missing. LISTENER_BUSY, LISTENER_EXPOSED.
 * Negative errno: -ENAMETOOLONG, -EEXIST (something else than a socket lies there), ... */
MUST_USE int listener_new(struct listener **listenerp, const char *path);
struct listener *listener_free(struct listener *listener); /* returns NULL */

/* The same with a socket that listens already, left by another process: -1, or one that is not at
 * `path`, is as none. The descriptor passes on. */
MUST_USE int listener_adopt(struct listener **listenerp, const char *path, int fd);

/* The socket file stays where it is when the listener is freed. */
void listener_keep(struct listener *listener);

int listener_fd(const struct listener *listener);

/* Does the path still lead to this socket? */
bool listener_is_reached(const struct listener *listener);
