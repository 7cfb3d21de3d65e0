/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loading: from manifests to published names. It owns the loader, the runtimes, the model, the
 * leases and the writer of the snapshot, and wires each to the next; whose thread that is, and when
 * it listens to others, is the loader thread's business.
 */
#pragma once

#include <systemd/sd-event.h>

#include "daemon/config/config.h"
#include "daemon/inspect/report.h"
#include "lib/util/between.h"
#include "lib/util/error.h"
#include "lib/util/thread_queue.h"

struct loading;

/* Creates the parts that need no file. Takes ownership of `config` in any case, `options` are read
 * again for a reload; messages for the server thread go to `outbox`; `between` is called between
 * two steps of the work. Negative errno, logged. */
MUST_USE int loading_new(struct loading **loadingp, struct config *config,
                         const struct config_options *options, sd_event *event,
                         struct thread_queue *outbox, struct between between);

/* Opens the leases and the manifests; reading starts with the event loop. Negative errno,
 * logged. */
MUST_USE int loading_open(struct loading *loading);

/* An orderly end: what was being read did not kill the daemon. */
void loading_end(struct loading *loading);

/* Frees the parts, on the thread that published: the snapshot has a mutex that is its own. */
void loading_close(struct loading *loading);
struct loading *loading_free(struct loading *loading); /* returns NULL */

/* What reports show; the parts in it are valid until loading_close. */
const struct inspect_context *loading_world(const struct loading *loading);

/* When the current work began (CLOCK_MONOTONIC, microseconds); 0: idle. */
int64_t loading_began(const struct loading *loading);

/* Reads the configuration again; one that cannot be read or is wrong changes nothing. `number`
 * (MESSAGE_RELOAD) is reported once this has ended: the manifests, too, have been looked at again,
 * and the result is published. */
void loading_reload(struct loading *loading, uint64_t number);

/* What can wait until names are published, or had to wait for readers of the snapshot. */
void loading_tidy(struct loading *loading);
