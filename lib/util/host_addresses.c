/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The node's own addresses: the source that the kernel would use for an address reached only by a
 * default route; connecting a datagram socket sends nothing.
 */
#include "host_addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"

/* Documentation addresses (RFC 5737, RFC 3849): only a default route leads to them. */
#define FAR_INET "192.0.2.1"
#define FAR_INET6 "2001:db8::1"

union any {
    struct sockaddr address;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
};

static bool source_towards(union any *any, socklen_t size)
{
    int fd = socket(any->address.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool found =
        connect(fd, &any->address, size) == 0 && getsockname(fd, &any->address, &size) == 0;
    close(fd);
    return found;
}

static void append_inet(GArray *addresses, const struct in_addr *inet)
{
    const struct address address = address_from(inet, sizeof *inet);
    g_array_append_val(addresses, address);
}

void host_addresses(GArray *addresses)
{
    guint before = addresses->len;
    union any any = {.inet = {.sin_family = AF_INET, .sin_port = htons(9)}};
    inet_pton(AF_INET, FAR_INET, &any.inet.sin_addr);
    if (source_towards(&any, sizeof any.inet))
        append_inet(addresses, &any.inet.sin_addr);
    any = (union any){.inet6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)}};
    inet_pton(AF_INET6, FAR_INET6, &any.inet6.sin6_addr);
    if (source_towards(&any, sizeof any.inet6)) {
        struct address address;
        memcpy(address.bytes, &any.inet6.sin6_addr, sizeof address.bytes);
        g_array_append_val(addresses, address);
    }
    if (addresses->len == before)
        append_inet(addresses, &(struct in_addr){htonl(INADDR_LOOPBACK)});
}
