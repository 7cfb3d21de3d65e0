/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state directory: the journal of leases, and beside it the guard of starts. Names are served
 * without them, too: what cannot be used is logged, once.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/model/leases.h"
#include "lib/util/error.h"
#include "start_guard.h"

struct state_directory;

/* Restores the leases found in `path`; they must live longer than this. Negative errno, logged: the
 * daemon must not serve, because others may write to the directory or another daemon uses it. */
MUST_USE int state_directory_open(struct state_directory **statep, sd_event *event,
                                  const char *path, struct leases *leases);

/* Waits for the disk. Returns NULL. */
struct state_directory *state_directory_close(struct state_directory *state);

/* NULL: deaths are not counted. */
struct start_guard *state_directory_guard(const struct state_directory *state);

/* A lease has changed; the next state_directory_write writes it. */
void state_directory_note(struct state_directory *state, enum lease_event event,
                          const struct lease *lease);

/* Writes the changes. The disk is waited for a second later, from the event loop. */
void state_directory_write(struct state_directory *state);
