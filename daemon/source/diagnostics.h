/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The current diagnostics about one file or directory: each is logged once when it appears, and the
 * file is logged as fixed when all are gone.
 */
#pragma once

#include <glib.h>

#include "lib/util/diagnostic.h"

/* `now` (struct diagnostic *, ownership taken; NULL for none) replaces *currentp. */
void diagnostics_replace(GPtrArray **currentp, GPtrArray *now, const char *path);

/* The same with one diagnostic, about the file or directory as a whole. */
void diagnostics_replace_one(GPtrArray **currentp, const char *path,
                             enum diagnostic_severity severity, const char *rule,
                             const char *message);
