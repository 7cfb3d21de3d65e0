/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The floor: an NSS module that makes no requests. The number after the first letter of a name is
 * how many addresses it has (127.200.0.1 and following), an address has one constant name, a name
 * without a number is left to the next service. What a lookup through it takes, glibc takes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REVERSE "a1.bench.svc.cluster.local"

static enum nss_status too_small(int *errnop, int *h_errnop)
{
    *errnop = ERANGE;
    *h_errnop = NETDB_INTERNAL;
    return NSS_STATUS_TRYAGAIN;
}

static enum nss_status not_ours(int *errnop, int *h_errnop)
{
    *errnop = ENOENT;
    *h_errnop = NO_RECOVERY;
    return NSS_STATUS_UNAVAIL;
}

enum nss_status _nss_null_gethostbyname4_r(const char *name, struct gaih_addrtuple **pat,
                                           char *buffer, size_t buflen, int *errnop, int *h_errnop,
                                           int32_t *ttlp)
{
    size_t n = *name ? strtoul(name + 1, NULL, 10) : 0, length = strlen(name) + 1;
    size_t padding = -(uintptr_t)buffer % alignof(struct gaih_addrtuple);
    struct gaih_addrtuple *tuples = (struct gaih_addrtuple *)(void *)(buffer + padding);

    (void)ttlp;
    if (n == 0)
        return not_ours(errnop, h_errnop);
    if (n > 1000 || buflen < padding + n * sizeof(*tuples) + length)
        return too_small(errnop, h_errnop);
    char *copy = memcpy(tuples + n, name, length);

    for (size_t i = 0; i < n; i++)
        tuples[i] = (struct gaih_addrtuple){
            .next = i + 1 < n ? &tuples[i + 1] : NULL,
            .name = copy,
            .family = AF_INET,
            .addr = {htonl(0x7fc80001u + (uint32_t)i)},
        };
    *pat = tuples;
    *h_errnop = NETDB_SUCCESS;
    return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_null_gethostbyaddr_r(const void *addr, socklen_t len, int af,
                                          struct hostent *result, char *buffer, size_t buflen,
                                          int *errnop, int *h_errnop)
{
    struct answer {
        char *aliases[1];
        char *list[2];
        char address[16];
        char name[sizeof(REVERSE)];
    };
    size_t padding = -(uintptr_t)buffer % alignof(struct answer);
    struct answer *answer = (struct answer *)(void *)(buffer + padding);

    if (len > sizeof(answer->address) || buflen < padding + sizeof(*answer))
        return too_small(errnop, h_errnop);
    *answer = (struct answer){.list = {answer->address}, .name = REVERSE};
    memcpy(answer->address, addr, len);
    *result = (struct hostent){
        .h_name = answer->name,
        .h_aliases = answer->aliases,
        .h_addrtype = af,
        .h_length = (int)len,
        .h_addr_list = answer->list,
    };
    *h_errnop = NETDB_SUCCESS;
    return NSS_STATUS_SUCCESS;
}
