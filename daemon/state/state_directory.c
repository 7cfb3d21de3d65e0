/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where leases cannot be kept, deaths cannot be counted either, so the guard is not tried then.
 */
#include "state_directory.h"

#include <errno.h>
#include <glib.h>

#include "lease_journal.h"
#include "lib/util/exposure.h"
#include "lib/util/log.h"
#include "lib/util/timer.h"

#define SYNC_USEC G_USEC_PER_SEC

struct state_directory {
    struct leases *leases;
    struct lease_journal *journal; /* NULL: leases are not kept */
    struct start_guard *guard;
    sd_event_source *syncing;
};

static int on_sync(sd_event_source *source, uint64_t usec, void *userdata)
{
    const struct state_directory *state = userdata;
    (void)source, (void)usec;
    lease_journal_sync(state->journal, state->leases);
    return 0;
}

/* Without its journal the daemon serves all the same; only a second one with the same leases must
 * not be. */
static int open_journal(struct state_directory *state, const char *path)
{
    int r = lease_journal_open(&state->journal, path, state->leases);
    if (r == -EBUSY) {
        log_error("%s: in use by another daemon; choose another --state", path);
        return r;
    }
    if (r < 0)
        log_warning("%s: cannot be used: %s; addresses will change when the daemon restarts", path,
                    g_strerror(-r));
    return 0;
}

static void open_guard(struct state_directory *state, const char *path)
{
    int r = state->journal ? start_guard_open(&state->guard, path) : 0;
    if (r < 0 && r != -EACCES && r != -EROFS && r != -EPERM)
        log_warning("%s: cannot record crashes there: %s", path, g_strerror(-r));
}

int state_directory_open(struct state_directory **statep, sd_event *event, const char *path,
                         struct leases *leases)
{
    int r = exposure_refuse(path, "the state");
    if (r < 0)
        return r;
    struct state_directory *state = g_new0(struct state_directory, 1);
    state->leases = leases;
    r = timer_new(&state->syncing, event, 0, on_sync, state);
    if (r < 0)
        log_error("cannot start: %s", g_strerror(-r));
    else
        r = open_journal(state, path);
    if (r < 0) {
        state_directory_close(state);
        return r;
    }
    open_guard(state, path);
    *statep = state;
    return 0;
}

struct state_directory *state_directory_close(struct state_directory *state)
{
    if (!state)
        return NULL;
    start_guard_close(state->guard);
    if (state->journal)
        lease_journal_sync(state->journal, state->leases);
    lease_journal_close(state->journal);
    sd_event_source_disable_unref(state->syncing);
    g_free(state);
    return NULL;
}

struct start_guard *state_directory_guard(const struct state_directory *state)
{
    return state->guard;
}

void state_directory_note(struct state_directory *state, enum lease_event event,
                          const struct lease *lease)
{
    if (state->journal)
        lease_journal_note(state->journal, event, lease);
}

void state_directory_write(struct state_directory *state)
{
    if (!state->journal)
        return;
    lease_journal_write(state->journal, state->leases);
    if (sd_event_source_get_enabled(state->syncing, NULL) == 0 &&
        lease_journal_is_unsynced(state->journal, state->leases))
        (void)timer_start(state->syncing, SYNC_USEC);
}
