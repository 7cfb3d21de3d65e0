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

struct changes;

struct change {
    uint64_t time; /* CLOCK_REALTIME, microseconds */
    char *text;
};

/* Listens between the model and `sink`, which must live as long. */
struct changes *changes_new(const struct zone_sink *sink, struct snapshot_writer *writer);
struct changes *changes_free(struct changes *changes); /* returns NULL */

/* For the model, instead of the sink behind it. */
const struct zone_sink *changes_sink(struct changes *changes);

/* Receives every new change; NULL: no observer. */
typedef void (*changes_told)(void *userdata, const struct change *change);
void changes_observe(struct changes *changes, changes_told told, void *userdata);

/* What was collected since the last call is about to be published: compares it with what is
 * published now. Unless `compare`, no single Services are reported: at the first load all are
 * new. */
void changes_before_publish(struct changes *changes, bool compare);

/* Something else that is worth a line; the text is copied. */
void changes_add(struct changes *changes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The last ones, the oldest first. */
void changes_each(const struct changes *changes, changes_told each, void *userdata);
