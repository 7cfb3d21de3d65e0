/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The six functions of libnss_kubesvc.so.2 that glibc calls. Each only states its question and the
 * form of its answer; one lookup serves them all, and one place turns its outcome into status,
 * errno and h_errno (docs/nss-status.md, guest rules 1 to 8). Those are written last, because
 * `errnop` is usually &errno, and any later call would overwrite it.
 */
#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <string.h>
#include <sys/socket.h>

#include "host_lookup.h"
#include "lib/resolve/name.h"

#define EXPORTED __attribute__((visibility("default")))

/* Where an outcome goes: glibc passes the addresses of its own errno and h_errno. */
struct reply {
    int *errnop;
    int *h_errnop;
    int saved_errno;
};

static struct reply reply_new(int *errnop, int *h_errnop)
{
    return (struct reply){.errnop = errnop, .h_errnop = h_errnop, .saved_errno = errno};
}

static enum nss_status reply_end(const struct reply *reply, enum outcome outcome)
{
    static const struct {
        enum nss_status status;
        int error;
        int host_error;
    } results[] = {
        [OUTCOME_FOUND] = {NSS_STATUS_SUCCESS, 0, NETDB_SUCCESS},
        [OUTCOME_NO_DATA] = {NSS_STATUS_NOTFOUND, ENOENT, NO_DATA},
        [OUTCOME_NOT_FOUND] = {NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND},
        [OUTCOME_NOT_OURS] = {NSS_STATUS_UNAVAIL, ENOENT, NO_RECOVERY},
        [OUTCOME_ABSENT] = {NSS_STATUS_UNAVAIL, ECONNREFUSED, NO_RECOVERY},
        [OUTCOME_TRY_AGAIN] = {NSS_STATUS_NOTFOUND, EAGAIN, TRY_AGAIN},
        [OUTCOME_EXHAUSTED] = {NSS_STATUS_TRYAGAIN, EAGAIN, TRY_AGAIN},
        [OUTCOME_TOO_SMALL] = {NSS_STATUS_TRYAGAIN, ERANGE, NETDB_INTERNAL},
        [OUTCOME_BAD_FAMILY] = {NSS_STATUS_UNAVAIL, EAFNOSUPPORT, NO_DATA},
        [OUTCOME_BAD_LENGTH] = {NSS_STATUS_UNAVAIL, EINVAL, NO_RECOVERY},
    };

    errno = reply->saved_errno;
    if (results[outcome].error)
        *reply->errnop = results[outcome].error;
    *reply->h_errnop = results[outcome].host_error;
    return results[outcome].status;
}

static enum outcome lookup_name(struct host_lookup *lookup, const char *name,
                                enum kubesvc_family family)
{
    size_t typed = strlen(name);
    size_t length = typed > 0 && name[typed - 1] == '.' ? typed - 1 : typed;
    bool valid = name_is_valid(name, length), likely = valid && name_may_be_ours(name, length);

    lookup->question = (struct query_question){
        .type = KUBESVC_REQUEST_NAME,
        .family = family,
        .name = name,
        .name_length = typed,
    };
    lookup->reserved =
        name_is_reserved(name, length) || (!likely && host_lookup_is_in_zone(lookup));
    if (!likely)
        return lookup->reserved ? OUTCOME_NOT_FOUND : OUTCOME_NOT_OURS;
    lookup->question.namespace_length = query_namespace(lookup->question.ns);
    return host_lookup_run(lookup);
}

static enum outcome host_by_name(const char *name, int family, struct hostent *host, char *buffer,
                                 size_t size)
{
    struct host_lookup lookup = {.buffer = pack_buffer_new(buffer, size),
                                 .counts.form = PACK_HOSTENT};

    if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6)
        return OUTCOME_BAD_FAMILY;
    enum outcome outcome =
        lookup_name(&lookup, name, family == AF_INET6 ? KUBESVC_FAMILY_INET6 : KUBESVC_FAMILY_INET);

    if (outcome == OUTCOME_FOUND)
        pack_hostent(lookup.buffer, &lookup.counts, &lookup.layout, host);
    return outcome;
}

static enum outcome host_by_address(const void *address, socklen_t length, int family,
                                    struct hostent *host, char *buffer, size_t size)
{
    struct host_lookup lookup = {
        .question.type = KUBESVC_REQUEST_ADDRESS,
        .question.family = family == AF_INET6 ? KUBESVC_FAMILY_INET6 : KUBESVC_FAMILY_INET,
        .buffer = pack_buffer_new(buffer, size),
        .counts.form = PACK_HOSTENT,
    };

    if (family != AF_INET && family != AF_INET6)
        return OUTCOME_BAD_FAMILY;
    if (length != (family == AF_INET6 ? 16 : 4))
        return OUTCOME_BAD_LENGTH;
    memcpy(lookup.question.address, address, length);
    enum outcome outcome = host_lookup_run(&lookup);

    if (outcome == OUTCOME_FOUND)
        pack_hostent(lookup.buffer, &lookup.counts, &lookup.layout, host);
    return outcome;
}

static enum outcome tuples_by_name(const char *name, struct gaih_addrtuple **pat, char *buffer,
                                   size_t size)
{
    struct host_lookup lookup = {.buffer = pack_buffer_new(buffer, size),
                                 .counts.form = PACK_TUPLES};
    enum outcome outcome = lookup_name(&lookup, name, KUBESVC_FAMILY_ANY);

    if (outcome != OUTCOME_FOUND)
        return outcome;
    struct gaih_addrtuple *first = pack_tuples(lookup.buffer, &lookup.counts, &lookup.layout);

    /* nscd of glibc 2.36 passes a tuple of its own, and reads that one (guest rule 26). */
    if (*pat)
        **pat = *first;
    else
        *pat = first;
    return outcome;
}

EXPORTED enum nss_status _nss_kubesvc_gethostbyname4_r(const char *name,
                                                       struct gaih_addrtuple **pat, char *buffer,
                                                       size_t buflen, int *errnop, int *h_errnop,
                                                       int32_t *ttlp)
{
    struct reply reply = reply_new(errnop, h_errnop);
    enum outcome outcome = tuples_by_name(name, pat, buffer, buflen);

    /* Not to be cached: the daemon may know better a moment later (guest rule 28). */
    if (outcome == OUTCOME_FOUND && ttlp)
        *ttlp = 0;
    return reply_end(&reply, outcome);
}

EXPORTED enum nss_status _nss_kubesvc_gethostbyname3_r(const char *name, int af,
                                                       struct hostent *result, char *buffer,
                                                       size_t buflen, int *errnop, int *h_errnop,
                                                       int32_t *ttlp, char **canonp)
{
    struct reply reply = reply_new(errnop, h_errnop);
    enum outcome outcome = host_by_name(name, af, result, buffer, buflen);

    if (outcome == OUTCOME_FOUND && ttlp)
        *ttlp = 0;
    if (outcome == OUTCOME_FOUND && canonp)
        *canonp = result->h_name;
    return reply_end(&reply, outcome);
}

EXPORTED enum nss_status _nss_kubesvc_gethostbyname2_r(const char *name, int af,
                                                       struct hostent *result, char *buffer,
                                                       size_t buflen, int *errnop, int *h_errnop)
{
    struct reply reply = reply_new(errnop, h_errnop);

    return reply_end(&reply, host_by_name(name, af, result, buffer, buflen));
}

EXPORTED enum nss_status _nss_kubesvc_gethostbyname_r(const char *name, struct hostent *result,
                                                      char *buffer, size_t buflen, int *errnop,
                                                      int *h_errnop)
{
    struct reply reply = reply_new(errnop, h_errnop);

    return reply_end(&reply, host_by_name(name, AF_INET, result, buffer, buflen));
}

EXPORTED enum nss_status _nss_kubesvc_gethostbyaddr2_r(const void *addr, socklen_t len, int af,
                                                       struct hostent *result, char *buffer,
                                                       size_t buflen, int *errnop, int *h_errnop,
                                                       int32_t *ttlp)
{
    struct reply reply = reply_new(errnop, h_errnop);
    enum outcome outcome = host_by_address(addr, len, af, result, buffer, buflen);

    if (outcome == OUTCOME_FOUND && ttlp)
        *ttlp = 0;
    return reply_end(&reply, outcome);
}

EXPORTED enum nss_status _nss_kubesvc_gethostbyaddr_r(const void *addr, socklen_t len, int af,
                                                      struct hostent *result, char *buffer,
                                                      size_t buflen, int *errnop, int *h_errnop)
{
    struct reply reply = reply_new(errnop, h_errnop);

    return reply_end(&reply, host_by_address(addr, len, af, result, buffer, buflen));
}
