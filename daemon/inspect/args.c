/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The arguments are used where they lie. What they mean is for the verb to say.
 */
#include "args.h"

#include <string.h>

bool args_parse(struct args *args, const char *payload, size_t size)
{
    args->n = 0;
    while (size > 0) {
        size_t length = strnlen(payload, size);

        if (length == size || args->n == KUBESVC_INSPECT_ARGS)
            return false;
        args->items[args->n++] = payload;
        payload += length + 1;
        size -= length + 1;
    }
    return args->n > 0;
}

const char *args_get(const struct args *args, unsigned index)
{
    return index < args->n ? args->items[index] : "";
}
