/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon is trusted with names, not with this process: nothing is taken that does not add up.
 */
#include "outside.h"

#include <endian.h>
#include <string.h>

#include "lib/resolve/name.h"

/* Moves the canonical name, which comes first, after the aliases. False: malformed. */
static bool order_names(char *to, const char *names, size_t size, unsigned n)
{
    const char *name = names, *end = names + size;

    for (unsigned i = 0; i < n; i++) {
        const char *nul = memchr(name, '\0', (size_t)(end - name));

        if (!nul || !name_is_valid(name, (size_t)(nul - name)))
            return false;
        name = nul + 1;
    }
    size_t first = strlen(names) + 1;

    memcpy(to, names + first, size - first);
    memcpy(to + size - first, names, first);
    return name == end;
}

/* Are there names and addresses of one family, `size` bytes of them? */
static bool is_sound(const struct kubesvc_answer *answer, size_t size)
{
    uint32_t inet = le32toh(answer->inet), inet6 = le32toh(answer->inet6);
    uint32_t names_size = le32toh(answer->names_size);

    return (answer->flags & KUBESVC_ANSWER_WITHHELD) == 0 && le16toh(answer->names) >= 2 &&
           le16toh(answer->names) <= KUBESVC_NAMES_MAX && names_size <= KUBESVC_NAMES_SIZE_MAX &&
           (inet == 0) != (inet6 == 0) && inet <= EXCHANGE_ADDRESSES_MAX &&
           inet6 <= EXCHANGE_ADDRESSES_MAX &&
           size == names_size + (size_t)inet * 4 + (size_t)inet6 * 16;
}

enum kubesvc_status outside_read(struct outside *outside, const struct exchange_response *response)
{
    struct kubesvc_answer answer;
    const uint8_t *payload = response->payload;

    if (response->error != 0 || response->type != KUBESVC_RESPONSE_ANSWER ||
        response->size < sizeof answer)
        return KUBESVC_STATUS_TRY_AGAIN;
    memcpy(&answer, payload, sizeof answer);
    payload += sizeof answer;
    if (answer.status != KUBESVC_STATUS_FOUND)
        return answer.status;
    uint32_t names_size = le32toh(answer.names_size), inet = le32toh(answer.inet);

    outside->n_names = le16toh(answer.names);
    outside->addresses = payload + names_size;
    outside->is_inet = inet > 0;
    outside->n_addresses = inet > 0 ? inet : le32toh(answer.inet6);
    return is_sound(&answer, response->size - sizeof answer) &&
                   order_names(outside->names, (const char *)payload, names_size, outside->n_names)
               ? KUBESVC_STATUS_FOUND
               : KUBESVC_STATUS_TRY_AGAIN;
}
