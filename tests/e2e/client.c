/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asks glibc, line by line, and says what it got: `client HOSTS-LINE`, questions on stdin as
 * "KIND NAME", one JSON object a line on stdout. So a test drives one process through many lookups.
 *
 * Kinds: unspec, inet, inet6 (getaddrinfo; with +canon, +mapped, +all appended), name
 * (gethostbyname), name2-inet, name2-inet6 (gethostbyname2), addr (gethostbyaddr), info
 * (getnameinfo, NI_NAMEREQD). In NAME, %XX is a byte.
 *
 * At the end of stdin it compares descriptors, signals, locale and umask with those before the
 * first question; exit status 1 and a line on stderr if anything was disturbed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <time.h>

#include "guest.h"

#define LINE_SIZE 4096

static void decode(char *text)
{
    char *to = text;

    for (const char *from = text; *from; to++) {
        unsigned byte;

        if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
            *to = (char)byte;
            from += 3;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

static void print_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
            printf("\\u%04x", byte);
        else
            putchar(byte);
    }
    putchar('"');
}

static void print_address(int family, const void *address, const char *separator)
{
    char text[INET6_ADDRSTRLEN];

    printf("%s\"%s\"", separator, inet_ntop(family, address, text, sizeof(text)));
}

static void print_canonical(const char *name)
{
    printf(", \"canon\": ");
    if (name)
        print_string(name);
    else
        printf("null");
}

static void print_host(const struct hostent *host)
{
    if (!host) {
        printf("{\"errno\": %d, \"h_errno\": %d", errno, h_errno);
        return;
    }
    printf("{\"h_errno\": 0");
    print_canonical(host->h_name);
    printf(", \"aliases\": [");
    for (char **alias = host->h_aliases; *alias; alias++) {
        printf("%s", alias == host->h_aliases ? "" : ", ");
        print_string(*alias);
    }
    printf("], \"addresses\": [");
    for (char **address = host->h_addr_list; *address; address++)
        print_address(host->h_addrtype, *address, address == host->h_addr_list ? "" : ", ");
    printf("]");
}

static void print_found(const struct addrinfo *found)
{
    unsigned scope = 0;

    print_canonical(found->ai_canonname);
    printf(", \"addresses\": [");
    for (const struct addrinfo *i = found; i; i = i->ai_next) {
        const char *separator = i == found ? "" : ", ";

        if (i->ai_family == AF_INET6) {
            const struct sockaddr_in6 *address = (const void *)i->ai_addr;

            print_address(AF_INET6, &address->sin6_addr, separator);
            scope |= address->sin6_scope_id;
        } else {
            const struct sockaddr_in *address = (const void *)i->ai_addr;

            print_address(AF_INET, &address->sin_addr, separator);
        }
    }
    printf("], \"scope\": %u", scope);
}

static bool ask_addrinfo(const char *kind, const char *name)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    size_t length = strcspn(kind, "+");

    if (strncmp(kind, "unspec", length) == 0)
        hints.ai_family = AF_UNSPEC;
    else if (length == 5 && strncmp(kind, "inet6", length) == 0)
        hints.ai_family = AF_INET6;
    else if (length == 4 && strncmp(kind, "inet", length) == 0)
        hints.ai_family = AF_INET;
    else
        return false;
    hints.ai_flags = (strstr(kind, "+canon") ? AI_CANONNAME : 0) |
                     (strstr(kind, "+mapped") ? AI_V4MAPPED : 0) |
                     (strstr(kind, "+all") ? AI_ALL : 0);
    errno = 0;
    int error = getaddrinfo(name, NULL, &hints, &found);

    printf("{\"eai\": %d, \"errno\": %d", error, error ? errno : 0);
    if (!error)
        print_found(found);
    if (found)
        freeaddrinfo(found);
    return true;
}

static void ask_address(const char *kind, const char *text)
{
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    struct sockaddr_in inet = {.sin_family = AF_INET};
    struct sockaddr_in6 inet6 = {.sin6_family = AF_INET6};
    char host[NI_MAXHOST];

    CHECK(inet_pton(family, text,
                    family == AF_INET6 ? (void *)&inet6.sin6_addr : (void *)&inet.sin_addr) == 1);
    if (strcmp(kind, "addr") == 0) {
        print_host(family == AF_INET6 ? gethostbyaddr(&inet6.sin6_addr, 16, AF_INET6)
                                      : gethostbyaddr(&inet.sin_addr, 4, AF_INET));
        return;
    }
    int error = getnameinfo(family == AF_INET6 ? (void *)&inet6 : (void *)&inet,
                            family == AF_INET6 ? sizeof(inet6) : sizeof(inet), host, sizeof(host),
                            NULL, 0, NI_NAMEREQD);

    printf("{\"eai\": %d", error);
    print_canonical(error ? NULL : host);
}

static void ask(const char *kind, const char *name)
{
    struct timespec start, end;

    errno = 0;
    h_errno = -2; /* never set */
    clock_gettime(CLOCK_MONOTONIC_RAW, &start);
    if (strcmp(kind, "name") == 0)
        print_host(gethostbyname(name));
    else if (strcmp(kind, "name2-inet") == 0)
        print_host(gethostbyname2(name, AF_INET));
    else if (strcmp(kind, "name2-inet6") == 0)
        print_host(gethostbyname2(name, AF_INET6));
    else if (strcmp(kind, "addr") == 0 || strcmp(kind, "info") == 0)
        ask_address(kind, name);
    else
        CHECK(ask_addrinfo(kind, name));
    clock_gettime(CLOCK_MONOTONIC_RAW, &end);
    /* An integer: the locale has its say in how a fraction is written. */
    printf(", \"us\": %lld}\n",
           (long long)(end.tv_sec - start.tv_sec) * 1000000 + (end.tv_nsec - start.tv_nsec) / 1000);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[LINE_SIZE];
    struct guest_state before, after;

    CHECK(argc == 2);
    (void)setlocale(LC_ALL, "");
    guest_configure(argv[1]);
    guest_observe(&before);
    while (fgets(line, sizeof(line), stdin)) {
        char *name = strchr(line, ' ');

        line[strcspn(line, "\n")] = '\0';
        CHECK(name != NULL);
        *name++ = '\0';
        decode(name);
        ask(line, name);
    }
    guest_observe(&after);
    const char *difference = guest_difference(&before, &after);

    if (difference)
        fprintf(stderr, "lookups disturbed: %s\n", difference);
    return difference ? 1 : 0;
}
