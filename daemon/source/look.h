/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Examines one place: what is at its path now, and what follows from it.
 */
#pragma once

#include "worklist.h"

/* Examines it, and queues what must be done: a file to be read or withdrawn, a directory to be
 * listed. */
void look_at(struct worklist *list, struct place *place);

/* Nothing is left at the place and below it, or it is not wanted. */
void look_away(struct worklist *list, struct place *place);

/* Something is wrong with a directory; its known files stay. `error`: a positive errno, or 0. */
void look_complain(struct place *place, const char *rule, int error, const char *what);
