/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recent changes: the Services whose answers changed in each publish, and other notable events. The
 * last ones are kept for `status`, each is sent to watching clients.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "daemon/publish/snapshot_writer.h"
#include "lib/model/zone.h"

struct event_log;

struct event {
    uint64_t time; /* CLOCK_REALTIME, microseconds */
    char *text;
};

/* Listens between the model and `sink`, which must live as long. */
struct event_log *event_log_new(const struct zone_sink *sink, struct snapshot_writer *writer);
struct event_log *event_log_free(struct event_log *events); /* returns NULL */

/* For the model, instead of the sink behind it. */
const struct zone_sink *event_log_sink(struct event_log *events);

/* Receives every new change; NULL: no observer. */
typedef void (*event_fn)(void *userdata, const struct event *change);
void event_log_observe(struct event_log *events, event_fn told, void *userdata);

/* What was collected since the last call is about to be published: compares it with what is
 * published now. Unless `compare`, no single Services are reported: at the first load all are
 * new. */
void event_log_before_publish(struct event_log *events, bool compare);

/* Something else that is worth a line; the text is copied. */
void event_log_add(struct event_log *events, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The last ones, the oldest first. */
void event_log_each(const struct event_log *events, event_fn each, void *userdata);
