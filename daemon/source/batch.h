/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Delivers the result of one scan: every changed file, by rank and path; at the end vanished
 * entries are freed.
 */
#pragma once

#include "queue.h"

/* Results of batch_take. */
enum {
    BATCH_READY = 0,
    BATCH_AGAIN = 1, /* files that belong together do not match: they were queued again */
    BATCH_HOLD = 2,  /* they do not match yet: the volume is still being written */
};

/* Takes the changes off the list: struct source_update, in order. `patient`: with BATCH_AGAIN and
 * BATCH_HOLD everything stays on it; else only those files stay and the others are taken. */
MUST_USE int batch_take(GPtrArray **updatesp, struct queue *queue, bool patient);

/* Delivers each file's changes, and frees them. */
void batch_hand_over(GPtrArray *updates, const struct loader_callbacks *callbacks);

/* Frees the entries with nothing left at them. */
void batch_sweep(struct queue *queue);
