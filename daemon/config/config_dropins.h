/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The drop-ins of a configuration file: FILE.d, a directory beside it.
 */
#pragma once

#include <glib.h>

#include "lib/util/error.h"

/* Adds the paths (char *) of the drop-ins of `path` in the order in which they are read: regular
 * files or links to them that end in .yaml and do not begin with a dot, bytewise by name. 0, also
 * if there is no such directory, or CONFIG_BAD with a diagnostic: it cannot be read or holds too
 * many. */
MUST_USE int config_dropins_find(GPtrArray *paths, const char *path, GPtrArray *diagnostics);
