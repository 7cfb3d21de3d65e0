/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compaction of the journal of leases: the leases that there are, written to a new file that takes
 * the place of the old one once the disk has it. Whenever the daemon is killed or the machine
 * stops, the next daemon finds one whole journal.
 */
#pragma once

#include "lib/model/leases.h"
#include "lib/util/error.h"

#define LEASE_JOURNAL_NAME "leases"

/* Waits for the disk. Returns the new journal's descriptor, to be appended to; negative errno: the
 * old one stays. */
MUST_USE int lease_compaction_run(int directory_fd, const struct leases *leases);

/* Removes what a compaction left behind that was killed with its daemon. */
void lease_compaction_discard(int directory_fd);
