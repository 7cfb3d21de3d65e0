/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Doubling delays with a jitter of a hundred percent.
 */
#include "backoff.h"

#include <glib.h>

uint64_t backoff_jitter(uint64_t limit)
{
    uint64_t random = (uint64_t)g_random_int() << 32 | g_random_int();

    return limit > 0 ? random % limit : 0;
}

uint64_t backoff_next(struct backoff *backoff, uint64_t now, uint64_t asked)
{
    uint64_t delay;

    if (backoff->failed_at && now - backoff->failed_at > BACKOFF_HEALTHY + backoff->delay * 2)
        backoff->delay = 0;
    backoff->failed_at = now;
    if (backoff->delay == 0)
        backoff->delay = BACKOFF_FIRST;
    delay = MAX(backoff->delay, MIN(asked, BACKOFF_ASKED_MAX));
    backoff->delay = MIN(backoff->delay * 2, BACKOFF_MAX);
    return delay + backoff_jitter(delay);
}
