/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "Did you mean": the candidate that a mistyped word is nearest to.
 */
#pragma once

#include <glib.h>

struct suggestion {
    const char *word; /* as it was typed */
    char *nearest;    /* NULL: none is near; to be freed with g_free */
    unsigned distance;
};

/* Offers one more candidate. Only those count that a few slips of the finger make of the word. */
void suggestion_offer(struct suggestion *suggestion, const char *candidate);
