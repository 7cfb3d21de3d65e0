/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * connect ENDPOINT PORT: a server there.
 * connect ENDPOINT PORT ADDRESS PORT COUNT SOURCE: how long connect() takes, to such a server and
 * to another address that leads to it, in turns, and each first as often as second, so that both
 * have the same conditions; from the 2^20 addresses that begin at SOURCE. Prints the nanoseconds of
 * each pair in a line.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static struct sockaddr_in address_of(const char *address, const char *port)
{
    struct sockaddr_in result = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};

    if (inet_pton(AF_INET, address, &result.sin_addr) != 1)
        die(address);
    return result;
}

/* The address may come later than the server. */
static void serve(const struct sockaddr_in *endpoint)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
        setsockopt(listener, IPPROTO_IP, IP_FREEBIND, &(int){1}, sizeof(int)) < 0 ||
        bind(listener, (const struct sockaddr *)endpoint, sizeof *endpoint) < 0 ||
        listen(listener, SOMAXCONN) < 0)
        die("listen");
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0)
            close(fd);
    }
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Each connection has a source address of its own: the kernel remembers those before it for some
 * seconds, and would otherwise spend time on finding that another one had the same ports. */
static void bind_source(int fd, const struct sockaddr_in *first)
{
    static uint32_t n;
    const struct sockaddr_in source = {.sin_family = AF_INET,
                                       .sin_addr.s_addr =
                                           htonl(ntohl(first->sin_addr.s_addr) + n++ % 0x100000u)};

    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int)) < 0 ||
        bind(fd, (const struct sockaddr *)&source, sizeof source) < 0)
        die("bind");
}

/* A reset at the end leaves no port behind that is in use for a minute. */
static uint64_t measure(const struct sockaddr_in *address, const struct sockaddr_in *source)
{
    const struct linger reset = {.l_onoff = 1};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    uint64_t start, end;

    if (fd < 0)
        die("socket");
    bind_source(fd, source);
    start = now();
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        die("connect");
    end = now();
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    return end - start;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 7)
        return EXIT_FAILURE;
    const struct sockaddr_in endpoint = address_of(argv[1], argv[2]);
    if (argc == 3)
        serve(&endpoint);
    const struct sockaddr_in other = address_of(argv[3], argv[4]);
    const struct sockaddr_in source = address_of(argv[6], "0");
    for (long i = strtol(argv[5], NULL, 10); i > 0; i--) {
        bool swap = i % 2 == 0;
        uint64_t first = measure(swap ? &other : &endpoint, &source);
        uint64_t second = measure(swap ? &endpoint : &other, &source);

        printf("%llu %llu\n", (unsigned long long)(swap ? second : first),
               (unsigned long long)(swap ? first : second));
    }
    return EXIT_SUCCESS;
}
