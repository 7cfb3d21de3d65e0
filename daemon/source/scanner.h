/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader's work itself, from events to delivery.
 */
#pragma once

#include "batch.h"
#include "queue.h"

struct scanner {
    struct queue queue;
    struct loader_callbacks callbacks;
    GPtrArray *retired;  /* struct root, to be freed once their files are withdrawn */
    uint64_t n_objects;  /* read in this batch */
    uint64_t started;    /* time of this batch; 0: none. CLOCK_MONOTONIC, microseconds */
    uint64_t heard;      /* time of the last inotify event */
    uint64_t told;       /* when the last batch with changes was complete, or 0 */
    uint64_t hold_until; /* until when to wait for an incomplete volume, or 0 */
    unsigned restarts;
    bool wants_round;            /* the next batch rescans everything */
    bool rereading;              /* ... as a reload asked, and it has not ended yet */
    bool settled, settled_first; /* a batch was delivered, and its end must be reported */
    bool loaded;                 /* the first scan is over */
};

void scanner_init(struct scanner *scanner, const struct loader_callbacks *callbacks);
void scanner_clear(struct scanner *scanner);

/* Withdraws everything known of a root, and frees it. */
void scanner_retire(struct scanner *scanner, struct root *root);

/* Works until a batch is complete (and reports it) or there is nothing left to do. True: there is
 * more to do. False: there is not, before *wake_at (0: before an event). */
bool scanner_run(struct scanner *scanner, uint64_t *wake_at);
