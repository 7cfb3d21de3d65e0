/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the file of one entry, and updates what is known of it: its objects and diagnostics, or why
 * they stay as they were. A reading counts only if the content was the same before and after.
 */
#pragma once

#include "queue.h"

/* Reads it to the end, unless it is being written. Queues the entry for delivery if its objects are
 * new, or to be examined again if it must be read later. Returns the number of objects read. */
unsigned file_reader_run(struct queue *queue, struct entry *entry,
                         const struct loader_callbacks *callbacks);
