/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every kind of question put to a snapshot that may be damaged. The answers do not matter; that
 * they are well-formed does. Run under a sanitizer, with the arena in memory of exactly its size.
 */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/resolve/name.h"
#include "lib/resolve/search.h"

/* The same damage must hit the same place in every run: the writer gets a seed that never changes.
 * Stands in for libc's; one source file of a program includes this. */
ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
    (void)flags;
    memset(buffer, 0x5a, length);
    return (ssize_t)length;
}

static const char *const interrogation_names[] = {
    "cluster.local",
    "testns.svc.cluster.local",
    "svc1.testns.svc.cluster.local",
    "ep1a.svc1.testns.svc.cluster.local",
    "hdls1.testns.svc.cluster.local",
    "dup-name.hdls1.testns.svc.cluster.local",
    "172-0-0-3.hdls1.testns.svc.cluster.local",
    "5678-abcd--1.hdls1.testns.svc.cluster.local",
    "_http._tcp.hdls1.testns.svc.cluster.local",
    "_._udp.hdls1.testns.svc.cluster.local",
    "to-vip.ext.svc.cluster.local",
    "ping.ext.svc.cluster.local",
    "www.ext.svc.cluster.local",
    "10-90-0-2.q.pod.cluster.local",
    "fd00-90--6.q.pod.cluster.local",
    "svc1.testns.svc.east.example",
    "ep1a.svc1.testns.svc.east.example",
    "10-8-0-1.testns.pod.east.example",
    "to-there-and-back.ext.svc.cluster.local",
    "svc1.testns.svc.west.example",
};

static const char *const interrogation_searches[] = {"svc1", "prod", "www.ext", "db.prod.svc"};

static const uint8_t interrogation_addresses[][16] = {
    {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1},            /* 10.0.0.1 */
    {[10] = 0xff, [11] = 0xff, [12] = 127, [13] = 96},          /* in a range */
    {[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 90, [15] = 2}, /* 10.90.0.2 */
    {0xfd, 0, 0, 0x60},                                         /* fd00:60:: */
    {[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 8, [15] = 1},  /* 10.8.0.1 */
    {0x20, 1},
};

static inline void interrogation_check(bool holds)
{
    if (!holds)
        abort();
}

/* As many strings as announced, each a name. */
static inline void interrogation_check_names(const struct resolver_names *names)
{
    size_t offset = 0;

    interrogation_check(names->size <= names->capacity);
    for (unsigned i = 0; i < names->count; i++) {
        size_t length = strnlen(names->text + offset, names->size - offset);

        interrogation_check(offset + length < names->size);
        interrogation_check(name_is_valid(names->text + offset, length));
        offset += length + 1;
    }
    interrogation_check(offset == names->size);
}

/* Reads every address, so that a sanitizer sees it. */
static inline void interrogation_check_answer(const struct resolver_answer *answer, size_t size)
{
    uint8_t all = 0;

    interrogation_check(answer->outcome != RESOLVER_FOUND || answer->n_addresses > 0);
    for (size_t i = 0; i < answer->n_addresses * size; i++)
        all ^= answer->addresses[i];
    __asm__ volatile("" : : "r"(all)); /* or the compiler would not read them */
}

static inline void interrogation_outside(void *userdata, const char *target,
                                         enum kubesvc_family family, struct external_answer *answer)
{
    static const uint8_t address[16] = {192, 0, 2, 1};

    (void)userdata;
    interrogation_check(name_is_valid(target, strlen(target)));
    *answer = (struct external_answer){
        .state = family == KUBESVC_FAMILY_INET ? EXTERNAL_FOUND : EXTERNAL_NODATA,
        .addresses = address,
        .n_addresses = 1,
    };
}

static inline void interrogate_name(const struct snapshot_view *view, const char *name,
                                    size_t length)
{
    struct resolver_answer answers[2];
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct resolver_names names = RESOLVER_NAMES(storage);

    resolver_name(view, NULL, name, length, &answers[0], &answers[1], &names);
    for (unsigned i = 0; i < 2; i++) {
        interrogation_check_answer(&answers[i], i == 0 ? 4 : 16);
        if (answers[i].outcome == RESOLVER_FOUND || answers[i].outcome == RESOLVER_EXTERNAL) {
            interrogation_check(names.count > 0);
            interrogation_check_names(&names);
        }
    }
}

static inline void interrogate_search(const struct snapshot_view *view, const char *name,
                                      size_t length)
{
    static const enum kubesvc_family families[] = {KUBESVC_FAMILY_ANY, KUBESVC_FAMILY_INET,
                                                   KUBESVC_FAMILY_INET6};

    for (unsigned i = 0; i < 4; i++) {
        const struct search_question query = {
            .name = name,
            .name_length = length,
            .family = families[i % 3],
            .ns = i < 3 ? NULL : "testns@east.example",
            .namespace_length = i < 3 ? 0 : strlen("testns@east.example"),
        };
        char names[KUBESVC_NAMES_SIZE_MAX];
        struct search_result result = {.names = RESOLVER_NAMES(names)};

        search_name(view, &query, interrogation_outside, NULL, &result);
        interrogation_check_names(&result.names);
        interrogation_check((result.status == KUBESVC_STATUS_FOUND) == (result.names.count > 0));
        interrogation_check((result.status == KUBESVC_STATUS_FOUND) ==
                            (result.inet.n_addresses + result.inet6.n_addresses > 0));
        interrogation_check_answer(&result.inet, 4);
        interrogation_check_answer(&result.inet6, 16);
    }
}

static inline void interrogate(const void *arena, size_t size)
{
    char names[KUBESVC_NAMES_SIZE_MAX];
    struct search_result result = {.names = RESOLVER_NAMES(names)};
    struct snapshot_view view;

    if (!snapshot_view_open(&view, arena, size))
        return;
    for (size_t i = 0; i < sizeof interrogation_names / sizeof interrogation_names[0]; i++)
        interrogate_name(&view, interrogation_names[i], strlen(interrogation_names[i]));
    for (size_t i = 0; i < sizeof interrogation_searches / sizeof interrogation_searches[0]; i++)
        interrogate_search(&view, interrogation_searches[i], strlen(interrogation_searches[i]));
    for (size_t i = 0; i < sizeof interrogation_addresses / sizeof interrogation_addresses[0];
         i++) {
        search_address(&view, KUBESVC_FAMILY_INET6, interrogation_addresses[i], &result);
        interrogation_check_names(&result.names);
        interrogation_check((result.status == KUBESVC_STATUS_FOUND) == (result.names.count == 1));
    }
}
