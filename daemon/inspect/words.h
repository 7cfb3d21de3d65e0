/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The arguments of a request: each terminated by a NUL, one to KUBESVC_INSPECT_WORDS of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <kubesvc/inspect.h>

struct words {
    unsigned n;
    const char *items[KUBESVC_INSPECT_WORDS]; /* in the payload */
};

/* False: malformed payload. */
bool words_parse(struct words *words, const char *payload, size_t size);

/* The argument at `index`, "" if there are fewer. */
const char *words_get(const struct words *words, unsigned index);
