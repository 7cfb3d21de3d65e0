/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Leases on disk: an append-only journal in the state directory, a line for each change with its
 * checksum, compacted by a new file and a rename. Written before an address is published, so that a
 * daemon that is killed at any moment neither loses nor doubles one that was ever answered. The
 * disk is waited for afterwards, so if the machine stops, it is the last changes that may be lost.
 *
 *   kubesvc leases 1
 *   + pod 127.244.0.1 moon/Deployment/app/0 5f1d21c8      held
 *   - pod 127.244.0.1 moon/Deployment/app/0 0c9e3a77      freed, remembered
 *   x pod 127.244.0.1 moon/Deployment/app/0 61aa04d2      not its any more
 */
#pragma once

#include <stdbool.h>

#include "lib/model/leases.h"
#include "lib/util/error.h"

struct lease_journal;

/* Opens the journal in `directory`, creating it (and the last part of the directory) if missing,
 * and restores its leases. A line that is damaged or cut off is skipped with a warning;
 * kept_journal.h says what becomes of a damaged journal, and of one of another version. If the
 * directory is not writable, the journal is read, with a warning, and never written. Negative
 * errno: it cannot be read or created; the caller continues without. -EBUSY: another daemon uses
 * it. */
MUST_USE int lease_journal_open(struct lease_journal **journalp, const char *directory,
                                struct leases *leases);
struct lease_journal *lease_journal_close(struct lease_journal *journal); /* returns NULL */

/* Queues a change; the next lease_journal_write writes it. */
void lease_journal_note(struct lease_journal *journal, enum lease_event event,
                        const struct lease *lease);

/* Writes queued changes. What cannot be written is kept and retried with the next change; logged
 * once. */
void lease_journal_write(struct lease_journal *journal, const struct leases *leases);

/* Does lease_journal_sync have anything to do? */
bool lease_journal_is_unsynced(const struct lease_journal *journal, const struct leases *leases);

/* Waits until written changes are on disk; compacts the journal if it has grown too long. */
void lease_journal_sync(struct lease_journal *journal, const struct leases *leases);
