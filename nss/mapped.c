/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the snapshot, which may change underneath: everything is copied out first, and trusted only
 * if the space it came from has not been reused meanwhile. Names are validated on their copies; for
 * addresses only the count can be checked.
 *
 * The leading address is drawn for each answer: with a position kept in the process, all children
 * of one parent would start with the same one.
 */
#include "mapped.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "lib/resolve/search.h"
#include "lib/resolve/settings.h"

#define READINGS_MAX 3

/* Room for a question and three links of a chain; longer ones are left to the daemon. */
#define NAMES_SIZE (4u * (KUBESVC_NAME_MAX + 1u))

static void outside(void *userdata, const char *target, enum kubesvc_family family,
                    struct external_answer *answer)
{
    (void)userdata;
    (void)target;
    (void)family;
    answer->state = EXTERNAL_PENDING;
}

/* A number below `n`, effectively random across threads and processes. */
static uint32_t draw(uint32_t n)
{
    static _Atomic uint32_t drawn;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t mixed = (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec ^ (uintptr_t)&now;

    mixed += atomic_fetch_add_explicit(&drawn, 1, memory_order_relaxed) * 0x9e3779b97f4a7c15u;
    /* The finalizer of MurmurHash3: every bit of the input affects every bit of the output. */
    mixed = (mixed ^ mixed >> 33) * 0xff51afd7ed558ccdu;
    mixed = (mixed ^ mixed >> 33) * 0xc4ceb9fe1a85ec53u;
    mixed ^= mixed >> 33;
    return (uint32_t)((mixed >> 32) * n >> 32);
}

/* Copies a set, starting with the address whose turn it is. */
static char *copy_set(char *to, const struct resolver_answer *set, size_t size)
{
    if (set->n_addresses == 0)
        return to;
    uint32_t first = set->n_addresses == 1 ? 0 : draw(set->n_addresses);

    to = mempcpy(to, set->addresses + first * size, (set->n_addresses - first) * size);
    return mempcpy(to, set->addresses, first * size);
}

/* The search lists the owners in the order they were met; the canonical name, its last, goes first.
 */
static void copy_names(char *to, const struct resolver_names *names)
{
    const char *before = names->size > 1 ? memrchr(names->text, '\0', names->size - 1u) : NULL;
    size_t others = before ? (size_t)(before + 1 - names->text) : 0;

    to = mempcpy(to, names->text + others, names->size - others);
    memcpy(to, names->text, others);
}

static enum outcome take(struct host_lookup *lookup, const struct search_result *result)
{
    const struct resolver_names *names = &result->names;
    uint32_t inet = result->inet.n_addresses, inet6 = result->inet6.n_addresses;

    if (result->status != KUBESVC_STATUS_FOUND)
        return host_lookup_outcome(lookup, result->status);
    host_lookup_plan(lookup, names->count, names->size, inet, inet6);
    if (lookup->layout.size > lookup->buffer.size)
        return OUTCOME_TOO_SMALL;
    copy_names(lookup->buffer.start + lookup->layout.names, names);
    char *addresses = lookup->buffer.start + lookup->layout.addresses;

    if (lookup->question.type == KUBESVC_REQUEST_ADDRESS)
        memcpy(addresses, lookup->question.address, lookup->layout.addresses_size);
    else
        copy_set(copy_set(addresses, &result->inet, 4), &result->inet6, 16);
    return OUTCOME_FOUND;
}

static bool read_once(const struct mapping *mapping, struct host_lookup *lookup,
                      enum outcome *outcome)
{
    const struct query_question *question = &lookup->question;
    char names[NAMES_SIZE];
    struct search_result result = {.names = RESOLVER_NAMES(names)};
    struct snapshot_view view;

    if (!snapshot_view_open(&view, mapping->base, mapping->size))
        return false;
    if (question->type == KUBESVC_REQUEST_ADDRESS)
        search_address(&view, question->family, question->address, &result);
    else
        search_name(&view,
                    &(struct search_question){
                        .name = question->name,
                        .name_length = question->name_length,
                        .ns = question->ns,
                        .namespace_length = question->namespace_length,
                        .family = question->family,
                    },
                    outside, NULL, &result);
    if (result.pending)
        return false;
    *outcome = take(lookup, &result);
    return true;
}

bool mapped_answer(const struct mapping *mapping, struct host_lookup *lookup, enum outcome *outcome)
{
    for (int readings = 0; readings < READINGS_MAX; readings++) {
        uint32_t reuse = mapping_read_begin(mapping);
        bool answered = read_once(mapping, lookup, outcome);

        if (mapping_read_holds(mapping, reuse)) {
            lookup->by_map = answered;
            return answered;
        }
    }
    return false;
}

bool mapped_is_in_zone(const struct mapping *mapping, const struct host_lookup *lookup)
{
    const char *name = lookup->question.name;
    size_t length = lookup->question.name_length;

    if (lookup->question.type != KUBESVC_REQUEST_NAME)
        return false;
    if (length > 0 && name[length - 1] == '.')
        length--;
    for (int readings = 0; readings < READINGS_MAX; readings++) {
        uint32_t reuse = mapping_read_begin(mapping);
        struct settings settings;
        struct snapshot_view view;
        bool in_zone = snapshot_view_open(&view, mapping->base, mapping->size) &&
                       settings_open(&settings, &view) && settings_enter(&settings, name, length);

        if (mapping_read_holds(mapping, reuse))
            return in_zone;
    }
    return false;
}
