/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "Did you mean": the candidate closest to a mistyped word.
 */
#pragma once

#include <glib.h>

struct suggestion {
    const char *word; /* as it was typed */
    char *nearest;    /* NULL: none is close; free with g_free */
    unsigned distance;
};

/* Offers one more candidate. Only those that the word may be a misspelling of count. */
void suggestion_offer(struct suggestion *suggestion, const char *candidate);
