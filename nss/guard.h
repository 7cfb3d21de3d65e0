/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Nothing that the program around a lookup does may break it off in the middle: a handler that
 * jumps out of it, or a thread that is cancelled, would leave its descriptor open and cancellation
 * disabled (guest rules 49 and 50).
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

/* How long signals may have to wait, milliseconds. */
#define GUARD_MS 100

struct guard {
    sigset_t before; /* the signals that the program itself has blocked */
    bool blocks;
    int cancel_state;
};

/* From here to guard_leave no handler runs and no cancellation acts, in this thread. */
void guard_enter(struct guard *guard);

/* Signals that came meanwhile are delivered here; the caller has nothing open, and may never come
 * back. */
void guard_leave(const struct guard *guard);

/* Has a signal come that the program has not blocked? */
bool guard_is_urged(const struct guard *guard);
