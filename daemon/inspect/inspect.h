/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line's side of the daemon (include/kubesvc/inspect.h), on the server thread: accepts
 * its requests, passes them to the loader thread, and sends the answers. A client that is slow to
 * read, or asks for much at once, waits and then gets "busy"; root and the daemon's own user never
 * wait for others.
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
    /* The job must be run now; inspect_made is called when that is done. */
    void (*make)(void *userdata, struct job *job);
    /* Changes of backends need not be sent any more. */
    void (*rest)(void *userdata);
    void *userdata;
};

struct inspect *inspect_new(const struct inspect_options *options);

/* Returns NULL. A job in progress is freed by its current owner. */
struct inspect *inspect_free(struct inspect *inspect);

void inspect_made(struct inspect *inspect, struct job *job);

/* A change, for watching clients. `time`: CLOCK_REALTIME, microseconds. */
void inspect_emit(struct inspect *inspect, uint64_t time, const char *text);

/* Lines for those that follow backends. */
void inspect_emit_backends(struct inspect *inspect, const char *lines);
