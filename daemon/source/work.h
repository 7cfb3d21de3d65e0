/*
 * The loader's work itself, from what happened to what is handed over: a little at each call.
 */
#pragma once

#include "batch.h"
#include "reading.h"
#include "worklist.h"

struct work {
    struct worklist list;
    struct loader_callbacks callbacks;
    GPtrArray *roots;   /* struct root, by rank */
    GPtrArray *retired; /* struct root, to be freed when their files are withdrawn */
    struct batch batch;
    struct fiber *fiber;     /* what is read on, while looking and listing go on beside it */
    struct reading *reading; /* of `reader`, or NULL */
    struct place *reader;
    uint64_t started; /* when this batch was; 0: there is none. CLOCK_MONOTONIC, microseconds */
    uint64_t heard;   /* when inotify last said something */
    uint64_t told;    /* when the last batch with news was complete, or 0 */
    uint64_t hold;    /* until when an incomplete volume is waited for, or 0 */
    unsigned restarts;
    bool doubtful; /* the file being read may be written again within its clock's tick */
    bool unsure;   /* whether a process has it open for writing */
    bool wants_round;
    /* Of the turn at hand. */
    uint64_t until, wake_at;
    bool more, settled, settled_first;
    bool loaded; /* the first look is over */
};

MUST_USE int work_init(struct work *work, const struct loader_callbacks *callbacks);
void work_clear(struct work *work);

/* Looks at everything again, with the next batch. */
void work_want_round(struct work *work);

/* Withdraws all that is known of a root, and frees it. */
void work_retire(struct work *work, struct root *root);

/* Lets the file being read be read anew, if it is one of this root's (NULL: of any). */
void work_interrupt(struct work *work, const struct root *root);

/* See pace.h. */
bool work_step(struct work *work, uint64_t until, uint64_t *wake_at);
