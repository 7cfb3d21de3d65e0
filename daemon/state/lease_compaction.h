/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compaction of the journal of leases: writes the current leases to a new file that replaces the
 * old one once it is on disk. Whenever the daemon is killed or the machine stops, the next daemon
 * finds one whole journal.
 */
#pragma once

#include "lib/model/leases.h"
#include "lib/util/error.h"

#define LEASE_JOURNAL_NAME "leases"

/* Waits for the disk. Returns the new journal's descriptor, for appending; negative errno: the old
 * one stays. */
MUST_USE int lease_compaction_run(int directory_fd, const struct leases *leases);

/* Removes the leftovers of an interrupted compaction. */
void lease_compaction_discard(int directory_fd);
