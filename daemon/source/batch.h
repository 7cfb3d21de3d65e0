/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handing over what one look found: every file that has something to say, by rank and path, and at
 * the end the places that are no more are freed.
 */
#pragma once

#include "worklist.h"

/* Results of batch_take. */
enum {
    BATCH_READY = 0,
    BATCH_AGAIN = 1, /* files that belong together do not fit: they were put on the list again */
    BATCH_HOLD = 2,  /* they do not fit yet: something is still being put there */
};

/* Takes the news off the list: struct statement, in order. `patient`: with BATCH_AGAIN and
 * BATCH_HOLD everything stays on it; else those files alone stay and the others are taken. */
MUST_USE int batch_take(GPtrArray **statementsp, struct worklist *list, bool patient);

/* Hands over each file's, and frees them. */
void batch_hand_over(GPtrArray *statements, const struct loader_callbacks *callbacks);

/* Frees the places at which there is nothing any more. */
void batch_sweep(struct worklist *list);
