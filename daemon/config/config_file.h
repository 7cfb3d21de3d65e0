/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration file -> the configuration.
 */
#pragma once

#include "config.h"

/* Reads `path` over what `config` holds. 0, CONFIG_BAD with diagnostics, or negative errno
 * (-ENOENT: it does not exist). */
MUST_USE int config_file_read(struct config *config, const char *path, GPtrArray *diagnostics);

void config_directory_free(gpointer userdata);

/* One with the defaults; takes ownership of `path`. */
struct config_directory *config_directory_new(char *path);
struct config_directory *config_directory_copy(const struct config_directory *directory);

/* What is wrong with the combination of ranges, or NULL. */
const char *config_check_ranges(const struct config *config);
