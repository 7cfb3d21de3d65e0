/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists one directory, in small steps: every name in it is examined, and every known entry in it
 * whose name was not found.
 */
#pragma once

#include "queue.h"

/* One step for an entry in ENTRY_SCAN; it leaves that state at the end. */
void scan_step(struct queue *queue, struct entry *entry);
