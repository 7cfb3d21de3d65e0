/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One timed question through glibc.
 */
#pragma once

#include <arpa/inet.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* glibc exports it and declares it nowhere. */
int __nss_configure_lookup(const char *database, const char *line);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static inline uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* How many addresses getaddrinfo finds; 0: none. *first: the first one, network byte order. */
static inline int ask_name(const char *name, int family, uint32_t *first)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int n = 0;

    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return 0;
    if (first && found->ai_family == AF_INET) {
        struct sockaddr_in address;
        memcpy(&address, found->ai_addr, sizeof(address));
        *first = address.sin_addr.s_addr;
    }
    for (const struct addrinfo *i = found; i; i = i->ai_next)
        n++;
    freeaddrinfo(found);
    return n;
}

/* 1 if the address has a name. */
static inline int ask_address(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    char host[NI_MAXHOST];

    CHECK(inet_pton(AF_INET, text, &address.sin_addr) == 1);
    return getnameinfo((const void *)&address, sizeof(address), host, sizeof(host), NULL, 0,
                       NI_NAMEREQD) == 0;
}
