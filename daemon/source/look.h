/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking at one place: what there is at its path now, and what follows from it.
 */
#pragma once

#include "worklist.h"

/* Looks, and puts on the list what is to be done: a file to be read or withdrawn, a directory to be
 * listed. */
void look_at(struct worklist *list, struct place *place);

/* There is nothing at the place and below it any more, or it is not wanted. */
void look_away(struct worklist *list, struct place *place);

/* Something is wrong with a directory; what is known of it stays. `error`: a positive errno, or 0.
 */
void look_complain(struct place *place, const char *rule, int error, const char *what);
