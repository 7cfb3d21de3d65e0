/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listing one directory, in small steps: every name in it is looked at, and every known place in it
 * that no name was met for.
 */
#pragma once

#include "worklist.h"

/* One step for the place, which is in PLACE_SCAN; it leaves that state at the end. */
void scan_step(struct worklist *list, struct place *place);
