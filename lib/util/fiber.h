/*
 * A fiber: work that takes its time, written straight down and done in turns. It runs on a stack of
 * its own and gives way in the middle of a loop, to go on there at its next turn; so that nothing
 * has to be cut into steps by hand, and the event loop is free in between.
 *
 * While it is given way to, whoever runs may read what the work is amid of but not change it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct fiber;

typedef void (*fiber_work)(void *userdata);

MUST_USE int fiber_new(struct fiber **fiberp); /* -ENOMEM */

/* Returns NULL. Not amid of work: what that holds would be lost. */
struct fiber *fiber_free(struct fiber *fiber);

/* Lets `work` run until it ends (true), or until it gives way at or after `deadline`
 * (CLOCK_MONOTONIC, microseconds): false, and the next call lets it go on, to be given the same
 * work. Without a fiber (NULL) it runs to its end. Not from within a work. */
bool fiber_run(struct fiber *fiber, fiber_work work, void *userdata, int64_t deadline);

/* Is there work that gave way and has not ended? */
bool fiber_is_amid(const struct fiber *fiber);

/* Within a work: gives way if it is late. Elsewhere, and for NULL, nothing: so code that is also
 * used otherwise may call them. fiber_tick is for loops whose rounds are short; it looks at the
 * clock now and then only. */
void fiber_breathe(struct fiber *fiber);
void fiber_tick(struct fiber *fiber);

/* As g_array_sort, g_ptr_array_sort, as making an array or a table empty, and as making an array no
 * longer than `length`, giving way meanwhile. */
void fiber_sort(struct fiber *fiber, GArray *array, GCompareFunc compare);
void fiber_sort_pointers(struct fiber *fiber, GPtrArray *array, GCompareFunc compare);
void fiber_empty(struct fiber *fiber, GArray *array);
void fiber_truncate_pointers(struct fiber *fiber, GPtrArray *array, guint length);
void fiber_empty_table(struct fiber *fiber, GHashTable *table);
