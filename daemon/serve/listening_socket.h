/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket file: taken over from a dead daemon, left alone if a daemon is listening, removed at
 * the end if it is still ours.
 */
#pragma once

#include <stdbool.h>

#include "lib/util/error.h"

/* Connections that wait to be accepted. The kernel keeps them in the order in which they come, not
 * by user: those of one who connects without end delay everybody else's, so they are few. More
 * clients wait in connect, or try again. */
#define LISTENING_SOCKET_BACKLOG 16

struct listening_socket;

enum {
    LISTENING_SOCKET_BUSY = 1, /* another daemon answers there */
    LISTENING_SOCKET_EXPOSED,  /* other users own its directory, or may write to it
                                  (lib/util/exposure.h) */
};

/* Listens at `path`; creates its directory if it is missing. `fd`: a socket that listens already,
 * left by another process; -1, or one that is not at `path`, counts as none. Takes ownership of it.
 * LISTENING_SOCKET_BUSY, LISTENING_SOCKET_EXPOSED. Negative errno: -ENAMETOOLONG, -EEXIST (not a
 * socket), ... */
MUST_USE int listening_socket_new(struct listening_socket **listeningp, const char *path, int fd);
struct listening_socket *
listening_socket_free(struct listening_socket *listening); /* returns NULL */

/* Keeps the socket file when the listener is freed. */
void listening_socket_keep(struct listening_socket *listening);

int listening_socket_fd(const struct listening_socket *listening);

/* Does the path still lead to this socket? */
bool listening_socket_is_reached(const struct listening_socket *listening);
