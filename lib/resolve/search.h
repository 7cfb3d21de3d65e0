/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The search list: a name as typed, the caller's namespace, one or both families -> one answer with
 * the status of docs/nss-status.md. Above the resolver, below the socket; walks the list as
 * glibc's resolver does (rules 74 to 81). Holds no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver.h"

/* What is known about a name outside the zone, for one family. */
enum external_state {
    EXTERNAL_FOUND,
    EXTERNAL_NODATA,  /* does not exist, or not in this family (rule 60) */
    EXTERNAL_FAILED,  /* the nameservers failed */
    EXTERNAL_PENDING, /* query in progress: run the search again when notified */
};

struct external_answer {
    enum external_state state;
    const uint8_t
        *addresses; /* 4 or 16 bytes each; valid until control returns to the event loop */
    uint32_t n_addresses;
    const char *const *aliases; /* further CNAME owners after the target: the last is canonical */
    uint32_t n_aliases;
};

typedef void (*search_external)(void *userdata, const char *target, enum kubesvc_family family,
                                struct external_answer *answer);

/* Called before each candidate of the search list, for explaining an answer. */
typedef void (*search_tried)(void *userdata, const char *name, size_t length);

struct search_question {
    const char *name; /* as typed */
    size_t name_length;
    const char *ns; /* the caller's, or "namespace@zone"; NULL or empty: the snapshot's default */
    size_t namespace_length;
    enum kubesvc_family family; /* ANY: both, from one candidate (rule 78) */
    search_tried tried;         /* NULL: not reported */
    void *tried_userdata;
};

struct search_result {
    enum kubesvc_status status;
    bool pending;                /* cannot be answered yet: see search_name */
    bool reserved;               /* TRY_AGAIN: no other service may be asked for the name */
    struct resolver_names names; /* FOUND: owners in order, canonical last; caller's memory */
    struct resolver_answer inet, inet6; /* addresses point into the snapshot, the result itself or
                                           the external answer */
};

/* `pending`: names outside the zone are not known yet, or the names did not fit. */
void search_name(const struct snapshot_view *view, const struct search_question *question,
                 search_external external, void *userdata, struct search_result *result);

/* An address: FOUND with one name, NOT_FOUND or NOT_OURS. ::ffff:a.b.c.d as INET6 means a.b.c.d
 * (rule 72). */
void search_address(const struct snapshot_view *view, enum kubesvc_family family,
                    const uint8_t address[static 16], struct search_result *result);
