/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The node's own addresses: the source that the kernel would use for an address reached only by a
 * default route; connecting a datagram socket sends nothing.
 */
#include "host_addresses.h"

#include <unistd.h>

#include "endpoint.h"

/* Documentation addresses (RFC 5737, RFC 3849): only a default route leads to them. */
#define FAR_INET "192.0.2.1"
#define FAR_INET6 "2001:db8::1"
#define LOOPBACK "127.0.0.1"

static void append_source_towards(GArray *addresses, const char *destination)
{
    union endpoint endpoint;
    struct address address;
    socklen_t size = sizeof endpoint;

    (void)endpoint_parse(&endpoint, destination, 9);
    int fd = socket(endpoint.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, &endpoint.any, endpoint_size(&endpoint)) == 0 &&
        getsockname(fd, &endpoint.any, &size) == 0) {
        endpoint_address(&endpoint, &address);
        g_array_append_val(addresses, address);
    }
    close(fd);
}

void host_addresses(GArray *addresses)
{
    guint before = addresses->len;
    struct address loopback;

    append_source_towards(addresses, FAR_INET);
    append_source_towards(addresses, FAR_INET6);
    if (addresses->len == before && address_parse(&loopback, LOOPBACK, strlen(LOOPBACK)))
        g_array_append_val(addresses, loopback);
}
