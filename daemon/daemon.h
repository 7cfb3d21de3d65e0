/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon: two threads. This one, the server thread, answers lookups from the published snapshot
 * and never waits for anything; the loader thread (loader_thread.h) writes the snapshot.
 */
#pragma once

#include "daemon/config/config.h"
#include "lib/util/error.h"

/* Runs until SIGTERM or SIGINT. Takes ownership of `config`; `options` are read again for SIGHUP.
 * 0, or the negative errno that ended it (logged). */
MUST_USE int daemon_run(struct config *config, const struct config_options *options);
