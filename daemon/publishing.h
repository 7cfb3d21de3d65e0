/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the model says becomes records, recent changes, and lines for programs that follow backends.
 * All of it becomes visible at once; the server thread is told by messages.
 */
#pragma once

#include <systemd/sd-event.h>

#include "daemon/config/config.h"
#include "daemon/inspect/context.h"
#include "lib/model/zone.h"
#include "lib/util/between.h"
#include "lib/util/error.h"
#include "lib/util/thread_queue.h"

struct publishing;

/* Sets the writer, the events and the backends of `context`. Messages go to `outbox`; `retry` is
 * called a second after a publish that failed; `between` between two steps of a compaction.
 * Negative errno. */
MUST_USE int publishing_new(struct publishing **publishingp, struct inspect_context *context,
                            sd_event *event, struct thread_queue *outbox, struct between between,
                            void (*retry)(void *userdata), void *userdata);

/* From the thread that published. Returns NULL. */
struct publishing *publishing_free(struct publishing *publishing);

/* For the model. Valid as long as this. */
const struct zone_sink *publishing_sink(const struct publishing *publishing);

/* Before the first publish, and when the configuration is another one. */
void publishing_configure(struct publishing *publishing, const struct config *config);

/* Makes all changes visible and notes it in the context. False, logged: it failed, and answers stay
 * as they are. */
bool publishing_run(struct publishing *publishing);

/* What can wait until names are published, or had to wait for readers of the snapshot: compacts it,
 * and gives back memory if much was replaced. `n_objects`: handed to the model, ever. */
void publishing_tidy(struct publishing *publishing, uint64_t n_objects);
