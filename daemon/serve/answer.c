/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answer: the result of a search -> its response frame. Rotating a set of addresses means sending
 * its tail before its head, so a set takes two parts and no copy.
 */
#include "answer.h"

#include <endian.h>
#include <string.h>

static void answer_begin(struct answer *answer, enum kubesvc_response_type type, size_t size)
{
    answer->head.header = (struct kubesvc_header){
        .magic = htole32(KUBESVC_MAGIC),
        .version = KUBESVC_PROTOCOL_VERSION,
        .type = (uint8_t)type,
        .length = htole32((uint32_t)(size - sizeof answer->head.header)),
    };
    answer->parts[0] = (struct iovec){.iov_base = &answer->head, .iov_len = size};
    answer->n_parts = 1;
}

static void answer_append(struct answer *answer, const void *data, size_t size)
{
    uint32_t length = le32toh(answer->head.header.length) + (uint32_t)size;

    if (size == 0)
        return;
    answer->parts[answer->n_parts++] = (struct iovec){.iov_base = (void *)data, .iov_len = size};
    answer->head.header.length = htole32(length);
}

void answer_bare(struct answer *answer, enum kubesvc_response_type type)
{
    answer_begin(answer, type, sizeof answer->head.header);
}

size_t answer_size(const struct answer *answer)
{
    return sizeof answer->head.header + le32toh(answer->head.header.length);
}

void answer_map(struct answer *answer)
{
    answer_begin(answer, KUBESVC_RESPONSE_MAP,
                 sizeof answer->head.header + sizeof answer->head.map);
    answer->head.map = (struct kubesvc_map){.version = htole32(KUBESVC_SNAPSHOT_VERSION)};
}

void answer_status(struct answer *answer, enum kubesvc_status status)
{
    answer_begin(answer, KUBESVC_RESPONSE_ANSWER, sizeof answer->head);
    answer->head.answer = (struct kubesvc_answer){.status = (uint8_t)status};
}

void answer_try_again(struct answer *answer, bool reserved)
{
    answer_status(answer, KUBESVC_STATUS_TRY_AGAIN);
    if (reserved)
        answer->head.answer.flags = KUBESVC_ANSWER_OURS;
}

/* The search lists the owners in the order found; the wire format starts with the last. */
static const char *answer_canonical(const struct resolver_names *names)
{
    const char *before = names->size > 1 ? memrchr(names->text, '\0', names->size - 1u) : NULL;

    return before ? before + 1 : names->text;
}

/* Sends the set, starting with the address whose turn it is. */
static void answer_append_set(struct answer *answer, const struct resolver_answer *set,
                              enum kubesvc_family family, const char *owner,
                              struct round_robin *round_robin)
{
    size_t size = family == KUBESVC_FAMILY_INET ? 4 : 16;
    uint32_t first;

    if (set->n_addresses == 0)
        return;
    first = round_robin_next(round_robin, owner, strlen(owner), family, set->n_addresses);
    answer_append(answer, set->addresses + first * size, (set->n_addresses - first) * size);
    answer_append(answer, set->addresses, first * size);
}

void answer_result(struct answer *answer, const struct search_result *result, uint32_t room,
                   struct round_robin *round_robin)
{
    uint32_t inet = result->inet.n_addresses, inet6 = result->inet6.n_addresses;
    const char *canonical;

    if (result->status == KUBESVC_STATUS_TRY_AGAIN)
        answer_try_again(answer, result->reserved);
    else
        answer_status(answer, result->status);
    if (result->status != KUBESVC_STATUS_FOUND)
        return;

    canonical = answer_canonical(&result->names);
    answer->head.answer.names = htole16(result->names.count);
    answer->head.answer.names_size = htole32(result->names.size);
    answer->head.answer.inet = htole32(inet);
    answer->head.answer.inet6 = htole32(inet6);
    answer_append(answer, canonical, strlen(canonical) + 1);
    answer_append(answer, result->names.text, (size_t)(canonical - result->names.text));
    if (inet + inet6 > room) {
        answer->head.answer.flags = KUBESVC_ANSWER_WITHHELD;
        return;
    }
    answer_append_set(answer, &result->inet, KUBESVC_FAMILY_INET, canonical, round_robin);
    answer_append_set(answer, &result->inet6, KUBESVC_FAMILY_INET6, canonical, round_robin);
}
