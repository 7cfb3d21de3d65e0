/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names as a program types them: validity, case, and whether one can be ours at all. No locale, no
 * system call (guest rules 17, 19 to 23).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <kubesvc/limits.h>

/* Part of a name, without a NUL. */
struct text {
    const char *data;
    size_t length;
};

static inline char name_fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* A host name that glibc's DNS module would ask for (rule 53): 1 to 253 bytes without
 * the final dot (`length` counts no final dot), labels of 1 to 63 of [A-Za-z0-9_-], no leading '-'.
 */
bool name_is_valid(const char *name, size_t length);

/* Does `name` end in `suffix` at a label boundary (equal counts), without regard to case? */
bool name_has_suffix(const char *name, size_t length, const char *suffix, size_t suffix_length);

/* Is it in one of the zones, NULL-terminated? In line, because the module has no use for it. */
static inline bool name_is_in(const char *name, size_t length, char *const *zones)
{
    for (; *zones; zones++) {
        if (name_has_suffix(name, length, *zones, strlen(*zones)))
            return true;
    }
    return false;
}

/* "namespace", or "namespace@zone" for one of another zone than the main one. */
bool name_is_namespace(const char *text, size_t length);

bool name_equal(const char *a, size_t a_length, const char *b, size_t b_length);

/* Ends in `.svc` or in the default zone: such a name must never be sent to public DNS. */
bool name_is_reserved(const char *name, size_t length);

/* Could the daemon know this valid name? False for `localhost` and for more than four labels with
 * neither `svc` nor `pod` among them and not in the default zone. */
bool name_may_be_ours(const char *name, size_t length);
