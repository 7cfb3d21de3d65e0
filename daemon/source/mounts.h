/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mounting and unmounting, which inotify does not report: a directory may show other files although
 * nothing in it has changed.
 */
#pragma once

#include <glib.h>
#include <systemd/sd-event.h>

#include "lib/util/error.h"

struct mounts;

/* Calls `changed` from the event loop after every change of the mount table that this process sees.
 * -ENOENT or similar if there is no /proc. */
MUST_USE int mounts_new(struct mounts **mountsp, sd_event *event, void (*changed)(void *userdata),
                        void *userdata);
/* The current mounts: directory -> names (char *) in it, of directories and of files. */
GHashTable *mounts_points(const struct mounts *mounts);

struct mounts *mounts_free(struct mounts *mounts); /* returns NULL */
