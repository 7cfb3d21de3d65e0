/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers a lookup from a mapped snapshot: the daemon's own search, run in this process, without a
 * system call.
 */
#pragma once

#include "host_lookup.h"
#include "mapping.h"

/* False: this snapshot cannot answer (the name leads out of the zone, nothing is published, or it
 * changes too fast to be read), and the daemon must be asked. */
bool mapped_answer(const struct mapping *mapping, struct host_lookup *lookup,
                   enum outcome *outcome);

/* Is the lookup's name in a zone of this snapshot? */
bool mapped_is_in_zone(const struct mapping *mapping, const struct host_lookup *lookup);
