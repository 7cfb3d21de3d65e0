/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Examines one entry: what is at its path now, and what follows from it.
 */
#pragma once

#include "queue.h"

/* Examines it, and queues what must be done: a file to be read or withdrawn, a directory to be
 * listed. */
void probe_entry(struct queue *queue, struct entry *entry);

/* Nothing is left at the entry and below it, or it is not wanted. */
void probe_withdraw(struct queue *queue, struct entry *entry);

/* Something is wrong with a directory; its known files stay. `error`: a positive errno, or 0. */
void probe_complain(struct entry *entry, const char *rule, int error, const char *what);
