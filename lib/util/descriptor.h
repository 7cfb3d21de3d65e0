/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passing a descriptor to another process, with a message on a Unix socket.
 */
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

/* sendmsg(2) of `message`, which has no control data yet, and of `fd` with it (-1: none); at once
 * or not at all, and without SIGPIPE. As sendmsg, with errno. */
ssize_t descriptor_send(int socket, const struct msghdr *message, int fd);
