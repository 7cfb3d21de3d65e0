/*
 * Compaction of the journal of leases: a child writes the leases that there are to a new file and
 * waits for the disk, while the daemon goes on appending to the old one. What was appended
 * meanwhile is copied in short steps, then the new file takes the place of the old one. So the
 * event loop never waits for a disk, and a crash at any moment finds one whole journal.
 */
#pragma once

#include <systemd/sd-event.h>

#include "../error.h"
#include "../model/leases.h"

#define LEASE_JOURNAL_NAME "leases"

struct lease_compaction;

struct lease_compaction_options {
    const char *directory;       /* for the log */
    int directory_fd;            /* where the journal is */
    int *journal_fd;             /* the journal, appended to only; then the new one */
    const struct leases *leases; /* as they are when the loop comes round to it */
    /* From the loop, once; then the compaction is to be freed. Not well: the old journal stays;
     * the log says why. */
    void (*ended)(void *userdata, bool well);
    void *userdata;
};

/* All that is named in the options must outlive the compaction; SIGCHLD must be blocked. Negative
 * errno: it cannot be done now; the log says why. */
MUST_USE int lease_compaction_start(struct lease_compaction **compactionp, sd_event *event,
                                    const struct lease_compaction_options *options);
struct lease_compaction *
lease_compaction_free(struct lease_compaction *compaction); /* ends it; returns NULL */

/* Removes what a compaction left behind that was killed with its daemon. */
void lease_compaction_discard(int directory_fd);
