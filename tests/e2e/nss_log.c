/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The service behind ours on a test's hosts line: it writes down what it is asked, one line each,
 * to the file that NSS_LOG names, and answers every question with one documentation address. So a
 * test sees both whether glibc went on, and what the program then got.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <nss.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INET_ANSWER "192.0.2.99"
#define INET6_ANSWER "2001:db8::99"

struct answer {
    char *aliases[1];
    char *list[2];
    uint8_t address[16];
    char name[256];
};

static void note(const char *function, const char *name)
{
    const char *path = getenv("NSS_LOG");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;

    if (fd < 0)
        return;
    dprintf(fd, "%s %s\n", function, name);
    close(fd);
}

static enum nss_status too_small(int *errnop, int *h_errnop)
{
    *errnop = ERANGE;
    *h_errnop = NETDB_INTERNAL;
    return NSS_STATUS_TRYAGAIN;
}

static enum nss_status fill(const char *name, int family, struct hostent *host, char *buffer,
                            size_t size, int *errnop, int *h_errnop)
{
    size_t padding = -(uintptr_t)buffer % alignof(struct answer);

    if (size < sizeof(struct answer) + padding)
        return too_small(errnop, h_errnop);
    struct answer *answer = (struct answer *)(void *)(buffer + padding);

    *answer = (struct answer){.list = {(char *)answer->address}};
    snprintf(answer->name, sizeof(answer->name), "%s", name);
    inet_pton(family, family == AF_INET6 ? INET6_ANSWER : INET_ANSWER, answer->address);
    *host = (struct hostent){
        .h_name = answer->name,
        .h_aliases = answer->aliases,
        .h_addrtype = family,
        .h_length = family == AF_INET6 ? 16 : 4,
        .h_addr_list = answer->list,
    };
    *h_errnop = NETDB_SUCCESS;
    return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_log_gethostbyname4_r(const char *name, struct gaih_addrtuple **pat,
                                          char *buffer, size_t buflen, int *errnop, int *h_errnop,
                                          int32_t *ttlp)
{
    size_t padding = -(uintptr_t)buffer % alignof(struct gaih_addrtuple);
    size_t length = strlen(name) + 1;

    (void)ttlp;
    note("name4", name);
    if (buflen < padding + sizeof(struct gaih_addrtuple) + length)
        return too_small(errnop, h_errnop);
    struct gaih_addrtuple *tuple = (struct gaih_addrtuple *)(void *)(buffer + padding);

    *tuple = (struct gaih_addrtuple){.name = memcpy(tuple + 1, name, length), .family = AF_INET};
    inet_pton(AF_INET, INET_ANSWER, tuple->addr);
    *pat = tuple;
    *h_errnop = NETDB_SUCCESS;
    return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_log_gethostbyname3_r(const char *name, int af, struct hostent *result,
                                          char *buffer, size_t buflen, int *errnop, int *h_errnop,
                                          int32_t *ttlp, char **canonp)
{
    (void)ttlp;
    note("name3", name);
    enum nss_status status = fill(name, af, result, buffer, buflen, errnop, h_errnop);

    if (status == NSS_STATUS_SUCCESS && canonp)
        *canonp = result->h_name;
    return status;
}

enum nss_status _nss_log_gethostbyname2_r(const char *name, int af, struct hostent *result,
                                          char *buffer, size_t buflen, int *errnop, int *h_errnop)
{
    note("name2", name);
    return fill(name, af, result, buffer, buflen, errnop, h_errnop);
}

enum nss_status _nss_log_gethostbyname_r(const char *name, struct hostent *result, char *buffer,
                                         size_t buflen, int *errnop, int *h_errnop)
{
    note("name", name);
    return fill(name, AF_INET, result, buffer, buflen, errnop, h_errnop);
}

enum nss_status _nss_log_gethostbyaddr_r(const void *addr, socklen_t len, int af,
                                         struct hostent *result, char *buffer, size_t buflen,
                                         int *errnop, int *h_errnop)
{
    char text[INET6_ADDRSTRLEN] = "";

    (void)len;
    inet_ntop(af, addr, text, sizeof(text));
    note("addr", text);
    return fill("log.example", af, result, buffer, buflen, errnop, h_errnop);
}
