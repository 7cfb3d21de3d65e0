/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The arguments of a request: each terminated by a NUL, one to KUBESVC_INSPECT_ARGS of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <kubesvc/inspect.h>

struct args {
    unsigned n;
    const char *items[KUBESVC_INSPECT_ARGS]; /* in the payload */
};

/* False: malformed payload. */
bool args_parse(struct args *args, const char *payload, size_t size);

/* The argument at `index`, "" if there are fewer. */
const char *args_get(const struct args *args, unsigned index);
