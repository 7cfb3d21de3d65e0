/*
 * Patience with what a daemon that was killed a moment ago has left running. Its child has all of
 * its descriptors until it has closed them or dies: for that moment the locks are still held and
 * the socket still takes connections, though nobody answers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct patience {
    int64_t end; /* by the monotonic clock; 0: not begun yet */
};

/* Sleeps a little; false, at once, after a second of this. Only for a start: nothing else is done
 * meanwhile. */
bool patience_wait(struct patience *patience);
