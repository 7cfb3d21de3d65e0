/*
 * The configuration file -> the configuration.
 */
#pragma once

#include "config.h"

/* Reads `path` into `config`, which holds the defaults. 0, CONFIG_BAD with diagnostics, or negative
 * errno (-ENOENT: there is none). */
MUST_USE int config_file_read(struct config *config, const char *path, GPtrArray *diagnostics);

void config_directory_free(gpointer userdata);

/* One with the defaults; `path` passes on. */
struct config_directory *config_directory_new(char *path, bool allocate);

/* What is wrong with the ranges taken together, or NULL. */
const char *config_check_ranges(const struct config *config);
