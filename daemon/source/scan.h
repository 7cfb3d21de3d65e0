/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists one directory, in small steps: every name in it is examined, and every known place in it
 * whose name was not found.
 */
#pragma once

#include "worklist.h"

/* One step for a place in PLACE_SCAN; it leaves that state at the end. */
void scan_step(struct worklist *list, struct place *place);
