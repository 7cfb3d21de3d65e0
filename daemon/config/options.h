/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line of kubesvcd.
 */
#pragma once

#include <stdbool.h>

#include "config.h"
#include "lib/util/error.h"

struct options {
    struct config_options config;
    bool check; /* --check: read the configuration, report what is wrong, exit */
};

/* As command_line_read. Strings point into `argv`. */
MUST_USE int options_parse(struct options *options, int argc, char **argv);
void options_clear(struct options *options);
