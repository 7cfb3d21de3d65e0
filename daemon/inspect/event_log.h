/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recent changes: the Services whose answers changed in each publish, and other notable events. The
 * last ones are kept for `status`, each is sent to watching clients.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "daemon/publish/snapshot_writer.h"

struct event_log;

struct event {
    uint64_t time; /* CLOCK_REALTIME, microseconds */
    char *text;
};

/* Receives every new change. */
typedef void (*event_fn)(void *userdata, const struct event *change);

struct event_log *event_log_new(struct snapshot_writer *writer, event_fn told, void *userdata);
struct event_log *event_log_free(struct event_log *events); /* returns NULL */

/* A Service that may have changed, or is gone. */
void event_log_note(struct event_log *events, const char *ns, const char *name);

/* What was noted since the last call is about to be published: compares it with what is
 * published now. Unless `compare`, no single Services are reported: at the first load all are
 * new. */
void event_log_before_publish(struct event_log *events, bool compare);

/* Something else that is worth a line; the text is copied. */
void event_log_add(struct event_log *events, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The last ones, the oldest first. */
void event_log_each(const struct event_log *events, event_fn each, void *userdata);
