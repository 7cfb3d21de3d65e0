/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps the surrounding program from interrupting a lookup in the middle: a handler that jumps out
 * of it, or a cancelled thread, would leak its descriptor and leave cancellation disabled (guest
 * rules 49 and 50).
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

/* How long signals may be delayed, milliseconds. */
#define GUARD_MS 100

struct guard {
    sigset_t before; /* the signals that the program itself has blocked */
    bool blocks;
    int cancel_state;
};

/* From here to guard_leave, no handler runs and no cancellation takes effect in this thread. */
void guard_enter(struct guard *guard);

/* Pending signals are delivered here; the caller must have nothing open, as control may not
 * return. */
void guard_leave(const struct guard *guard);

/* Is a signal pending that the program has not blocked? */
bool guard_is_urged(const struct guard *guard);
