/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader thread: manifests in, published names out. It owns the loader, the model, the leases
 * and the writer of the snapshot, and may take its time: only reports wait for it, and these are
 * served between two steps of its work.
 */
#pragma once

#include "daemon/config/config.h"
#include "daemon/publish/snapshot_root.h"
#include "lib/util/error.h"
#include "lib/util/thread_queue.h"

struct loader_thread;

/* Opens everything but its thread: takes ownership of `config` in any case, `options` are read
 * again for a reload. Messages come by `inbox` and go by `outbox` (see message.h). Negative errno,
 * logged. */
MUST_USE int loader_thread_new(struct loader_thread **threadp, struct config *config,
                               const struct config_options *options, struct thread_queue *inbox,
                               struct thread_queue *outbox);

/* Opens the leases and the manifests, and starts. Negative errno, logged. */
MUST_USE int loader_thread_start(struct loader_thread *thread);

/* Ends it and frees everything; returns NULL. A thread in the middle of long work is not waited
 * for: -EBUSY, and then the process must exit. */
int loader_thread_end(struct loader_thread **threadp);

/* For readers; valid until the end. */
struct snapshot_root *loader_thread_root(const struct loader_thread *thread);
