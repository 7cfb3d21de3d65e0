/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Port 53 takes a capability to bind, which the service manager has: then this process needs none.
 * An address that the host does not have yet can be listened on all the same (IP_FREEBIND): a
 * bridge may come later than this.
 */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/util/log.h"

#define BACKLOG 256
#define UDP_BUFFER (1 << 20) /* bytes, for bursts */

static int add(struct sockets *sockets, int fd, bool tcp)
{
    socklen_t size = sizeof sockets->sockets[0].own;
    int flags = fcntl(fd, F_GETFL);

    if (sockets->n >= SOCKETS_MAX)
        return -E2BIG;
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        getsockname(fd, &sockets->sockets[sockets->n].own.any, &size) < 0)
        return -errno;
    sockets->sockets[sockets->n].fd = fd;
    sockets->sockets[sockets->n++].tcp = tcp;
    return 0;
}

static int take_passed(struct sockets *sockets, int n)
{
    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++) {
        bool tcp = sd_is_socket_inet(fd, AF_UNSPEC, SOCK_STREAM, 1, 0) > 0;
        int r = tcp || sd_is_socket_inet(fd, AF_UNSPEC, SOCK_DGRAM, -1, 0) > 0
                    ? add(sockets, fd, tcp)
                    : -EINVAL;

        if (r >= 0)
            continue;
        log_error("descriptor %d from the service manager is not a socket to listen on: %s", fd,
                  g_strerror(-r));
        return r;
    }
    return 0;
}

static int set(int fd, int level, int option)
{
    return setsockopt(fd, level, option, &(int){1}, sizeof(int));
}

static int open_one(struct sockets *sockets, const union endpoint *address, bool tcp)
{
    bool inet6 = address->any.sa_family == AF_INET6;
    int fd = socket(address->any.sa_family,
                    (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r;

    if (fd < 0)
        return -errno;
    if ((inet6 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY) < 0) ||
        (tcp && set(fd, SOL_SOCKET, SO_REUSEADDR) < 0) ||
        set(fd, inet6 ? IPPROTO_IPV6 : IPPROTO_IP, inet6 ? IPV6_FREEBIND : IP_FREEBIND) < 0 ||
        bind(fd, &address->any, endpoint_size(address)) < 0 || (tcp && listen(fd, BACKLOG) < 0)) {
        r = -errno;
        close(fd);
        return r;
    }
    if (!tcp)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){UDP_BUFFER}, sizeof(int));
    r = add(sockets, fd, tcp);
    if (r < 0)
        close(fd);
    return r;
}

int sockets_open(struct sockets *sockets, const union endpoint *addresses, size_t n)
{
    int passed = sd_listen_fds(1);

    sockets->n = 0;
    if (passed != 0)
        return passed < 0 ? passed : take_passed(sockets, passed);
    for (size_t i = 0; i < 2 * n; i++) {
        bool tcp = i % 2 != 0;
        int r = open_one(sockets, &addresses[i / 2], tcp);

        if (r < 0) {
            char text[ENDPOINT_TEXT_MAX];

            endpoint_format(&addresses[i / 2], text);
            log_error("%s: cannot listen (%s): %s", text, tcp ? "TCP" : "UDP", g_strerror(-r));
            return r;
        }
    }
    return 0;
}

void sockets_close(struct sockets *sockets)
{
    for (size_t i = 0; i < sockets->n; i++) {
        if (sockets->sockets[i].fd >= 0)
            close(sockets->sockets[i].fd);
    }
    sockets->n = 0;
}
