/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the model's words to records: a zone_sink that writes what it is told into a snapshot, to be
 * published when the model says that it is whole.
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

/* Settings of the zone from the next publisher_publish on. */
void publisher_configure(struct publisher *publisher, const struct config *config);

/* The record of these settings, where any object is loaded. */
GByteArray *publisher_settings(const struct config *config);

/* Makes all that was told so far visible at once. `empty`: no object is loaded, nothing is ours.
 * Negative errno: something could not be written down; the old state stays until this is called
 * again and succeeds. */
MUST_USE int publisher_publish(struct publisher *publisher, bool empty);
