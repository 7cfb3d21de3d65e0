/*
 * Compaction of the journal of leases: a child writes the leases that there are to a new file and
 * waits for the disk, while the daemon goes on appending to the old one. What was appended
 * meanwhile is copied in short steps, then the new file takes the place of the old one. So the
 * event loop never waits for a disk, and if the daemon is killed at any moment, the next one finds
 * one whole journal.
 *
 * If the machine stops, what the child wrote is on the disk before its file has the name. What the
 * daemon appends is never waited for, neither before a compaction nor after it nor as it is copied:
 * the lines that the kernel had not written out yet are missing then, and their checksums tell of
 * what is left of them. With the kernel's defaults these are the lines of half a minute; for those
 * that were copied, it begins anew with the copy.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/model/leases.h"
#include "lib/util/error.h"

#define LEASE_JOURNAL_NAME "leases"

struct lease_compaction;

struct lease_compaction_options {
    const char *directory; /* for the log */
    int directory_fd;      /* where the journal is */
    int *journal_fd;       /* the journal, appended to only; then the new one */
    const struct leases *leases;
    /* From the loop: these are the leases, as they are now, that the new journal begins with. */
    void (*begun)(void *userdata, const struct leases *leases);
    /* From the loop, once; then the compaction is to be freed. Not well: the old journal stays;
     * the log says why. */
    void (*ended)(void *userdata, bool well);
    void *userdata;
};

/* All that is named in the options must outlive the compaction; SIGCHLD must be blocked. Negative
 * errno: it cannot be done now; the log says why. */
MUST_USE int lease_compaction_start(struct lease_compaction **compactionp, sd_event *event,
                                    const struct lease_compaction_options *options);
/* Ends it, without waiting: its child may be stuck at the disk, and is left to the loop. Returns
 * NULL. */
struct lease_compaction *lease_compaction_free(struct lease_compaction *compaction);

/* Removes what a compaction left behind that was killed with its daemon. */
void lease_compaction_discard(int directory_fd);
