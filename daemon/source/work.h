/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader's work itself, from what happened to what is handed over.
 */
#pragma once

#include "batch.h"
#include "worklist.h"

struct work {
    struct worklist list;
    struct loader_callbacks callbacks;
    GPtrArray *roots;     /* struct root, by rank */
    GPtrArray *retired;   /* struct root, to be freed when their files are withdrawn */
    struct place *reader; /* the place whose file is being read */
    uint64_t n_objects;   /* read in this batch */
    uint64_t started;     /* when this batch was; 0: there is none. CLOCK_MONOTONIC, microseconds */
    uint64_t heard;       /* when inotify last said something */
    uint64_t told;        /* when the last batch with news was complete, or 0 */
    uint64_t hold;        /* until when an incomplete volume is waited for, or 0 */
    unsigned restarts;
    bool doubtful; /* the file being read may be written again within its clock's tick */
    bool unsure;   /* whether a process has it open for writing */
    bool wants_round;
    bool settled, settled_first; /* a batch was handed over, and is to be told of as whole */
    bool loaded;                 /* the first look is over */
};

void work_init(struct work *work, const struct loader_callbacks *callbacks);
void work_clear(struct work *work);

/* Looks at everything again, with the next batch. */
void work_want_round(struct work *work);

/* Withdraws all that is known of a root, and frees it. */
void work_retire(struct work *work, struct root *root);

/* Works until a batch is whole (and says so) or there is nothing left to do. True: there is more to
 * do. False: there is not, before *wake_at (0: before something happens). */
bool work_run(struct work *work, uint64_t *wake_at);
