/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Turns the model's descriptions into records: a zone_sink that writes them into a snapshot, which
 * is published when the model is consistent.
 */
#pragma once

#include "daemon/config/config.h"
#include "lib/model/zone.h"
#include "lib/util/error.h"
#include "snapshot_writer.h"

struct publisher;

struct publisher *publisher_new(struct snapshot_writer *writer);
struct publisher *publisher_free(struct publisher *publisher); /* returns NULL */

/* For the model. Valid as long as the publisher. */
const struct zone_sink *publisher_sink(struct publisher *publisher);

/* Settings of the zone, effective with the next publisher_publish. */
void publisher_configure(struct publisher *publisher, const struct config *config);

/* The record of these settings, used when any object is loaded. */
GByteArray *publisher_settings(const struct config *config);

/* Makes all changes so far visible at once. `empty`: no object is loaded, no name is ours. Negative
 * errno: something could not be written; the old state stays until this is called again and
 * succeeds. */
MUST_USE int publisher_publish(struct publisher *publisher, bool empty);
