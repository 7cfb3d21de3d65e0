/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the command line and /etc/kubesvc/clusters/NAME.yaml ask for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/util/error.h"

#define SETTINGS_JITTER 30000000u /* microseconds */

struct cluster_settings {
    char *config;      /* path, or NULL */
    char *kubeconfig;  /* path */
    char *context;     /* NULL: the current one */
    char **namespaces; /* NULL: all */
    char *output;      /* directory */
    bool pods, once;
    uint64_t max_age; /* microseconds; 0: never too old */
    uint64_t jitter;  /* likewise */
};

/* 0, COMMAND_LINE_DONE, or COMMAND_LINE_WRONG, also if it is the file that is wrong. */
MUST_USE int settings_read(struct cluster_settings *settings, int argc, char **argv);
void settings_clear(struct cluster_settings *settings);
