/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The addresses of the host. Programs that set AI_ADDRCONFIG, as 'getent ahostsv4' and many others
 * do, are given only addresses of the families that the host has itself, and libc does not count
 * loopback: without other addresses, it does not even ask.
 */
#include "checks.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

static void count(const struct sockaddr *address, bool *inet, bool *inet6)
{
    if (address->sa_family == AF_INET) {
        struct in_addr host = ((const struct sockaddr_in *)(const void *)address)->sin_addr;
        *inet = *inet || host.s_addr != htonl(INADDR_LOOPBACK);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *host = (const void *)address;
        *inet6 = *inet6 || !IN6_IS_ADDR_LOOPBACK(&host->sin6_addr);
    }
}

void examine_network(struct checks *checks)
{
    struct ifaddrs *addresses;
    bool inet = false, inet6 = false;
    if (getifaddrs(&addresses) < 0)
        return;
    for (const struct ifaddrs *at = addresses; at; at = at->ifa_next)
        if (at->ifa_addr)
            count(at->ifa_addr, &inet, &inet6);
    freeifaddrs(addresses);
    if (!inet && !inet6)
        checks_add(checks, VERDICT_WARN, "network",
                   "ask with 'getent ahosts', or give an interface an address",
                   "this host has only loopback: programs that set AI_ADDRCONFIG for "
                   "one family find nothing, such as 'getent ahostsv4'");
    else if (!inet)
        checks_add(checks, VERDICT_WARN, "network",
                   "give an interface an IPv4 address, or the Services IPv6 "
                   "addresses",
                   "this host has IPv6 addresses only: programs that set "
                   "AI_ADDRCONFIG find no IPv4 addresses");
}
