/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long to wait before the next attempt: as client-go's reflector does, so that many followers
 * of one API server come back spread.
 */
#pragma once

#include <stdint.h>

#define BACKOFF_FIRST 800000u        /* microseconds */
#define BACKOFF_MAX 30000000u        /* without the jitter, which may double it */
#define BACKOFF_HEALTHY 120000000u   /* so long without a failure forgets those before */
#define BACKOFF_ASKED_MAX 300000000u /* what a server may ask for */

struct backoff {
    uint64_t delay;     /* of the next failure; 0: the first */
    uint64_t failed_at; /* 0: never */
};

/* After a failure at `now`; `asked` is the delay requested by Retry-After, or 0. */
uint64_t backoff_next(struct backoff *backoff, uint64_t now, uint64_t asked);

/* Anything up to, and without, `limit`. */
uint64_t backoff_jitter(uint64_t limit);
