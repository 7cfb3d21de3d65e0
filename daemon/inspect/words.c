/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Words: found where they lie. What they mean is for the verb to say.
 */
#include "words.h"

#include <string.h>

bool words_parse(struct words *words, const char *payload, size_t size)
{
    words->n = 0;
    while (size > 0) {
        size_t length = strnlen(payload, size);

        if (length == size || words->n == KUBESVC_INSPECT_WORDS)
            return false;
        words->items[words->n++] = payload;
        payload += length + 1;
        size -= length + 1;
    }
    return words->n > 0;
}

const char *words_get(const struct words *words, unsigned index)
{
    return index < words->n ? words->items[index] : "";
}
