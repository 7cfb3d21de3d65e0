/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The diagnostics that stand about one file or directory: each is logged once when it comes up, and
 * a mended file is said to be mended.
 */
#pragma once

#include <glib.h>

#include "lib/util/diagnostic.h"

/* `now` (struct diagnostic *, taken over; NULL for none) replaces *standingp. */
void diagnostics_replace(GPtrArray **standingp, GPtrArray *now, const char *path);

/* The same with one diagnostic (taken over). */
void diagnostics_replace_one(GPtrArray **standingp, struct diagnostic *now, const char *path);
