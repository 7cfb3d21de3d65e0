/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line's side of the daemon (include/kubesvc/inspect.h), on the server thread: takes
 * what it asks, has it answered by the loader thread, and sends the answer. Who is slow to read, or
 * asks for much at once, waits and is then told that the daemon is busy; root and the daemon's own
 * user never wait for others.
 */
#pragma once

#include <systemd/sd-event.h>

#include "daemon/publish/snapshot_root.h"
#include "daemon/serve/server.h"
#include "daemon/serve/upstream.h"
#include "job.h"

struct inspect;

struct inspect_options {
    sd_event *event;
    struct server *server; /* its INSPECT requests are taken */
    const struct snapshot_root *root;
    struct upstream *upstream;
    /* The job is to be made now; inspect_made is called when that is done. */
    void (*make)(void *userdata, struct job *job);
    /* What changes in backends need not be told any more. */
    void (*rest)(void *userdata);
    void *userdata;
};

struct inspect *inspect_new(const struct inspect_options *options);

/* Returns NULL. A job that is being made is to be freed by who has it. */
struct inspect *inspect_free(struct inspect *inspect);

void inspect_made(struct inspect *inspect, struct job *job);

/* A change, for those who watch. `time`: CLOCK_REALTIME, microseconds. */
void inspect_tell(struct inspect *inspect, uint64_t time, const char *text);

/* Lines for those that follow backends. */
void inspect_tell_backends(struct inspect *inspect, const char *lines);
