/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors: closing one, passing one to another process with a message on a Unix socket, how
 * many a process may have, and those that its parent should have left it.
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

/* Closes it unless it is -1, which it is then; for __attribute__((cleanup)). */
static inline void descriptor_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* sendmsg(2) of `message`, which has no control data yet, and of `fd` with it (-1: none); at once
 * or not at all, and without SIGPIPE. As sendmsg, with errno. */
ssize_t descriptor_send(int socket, const struct msghdr *message, int fd);

/* Raises the limit of open descriptors to `wanted` if it is lower and as far as that is allowed.
 * Returns how many of these the process may have. */
size_t descriptor_raise_limit(size_t wanted);

/* Can `n` more be opened, at most DESCRIPTOR_PROBE_MAX? False with errno, such as EMFILE. */
#define DESCRIPTOR_PROBE_MAX 64u
bool descriptor_has_room(unsigned n);

/* Opens /dev/null as each of the standard descriptors that the parent has closed: else a connection
 * or a file could get the number, and with it what is meant for the terminal. `usable`: reading and
 * writing succeed; if not, they fail as before, and what is executed does not have them. False with
 * errno. */
bool descriptor_occupy_standard(bool usable);
