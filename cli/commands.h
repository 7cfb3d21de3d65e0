/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands of kubesvc, one file each.
 */
#pragma once

#include "arguments.h"

enum {
    STATUS_DONE = 0,
    STATUS_FAILED = 1, /* usage, or it could not be done */
    STATUS_NOT_FOUND = 2,
};

extern const struct command command_query, command_get, command_describe, command_explain,
    command_status, command_monitor, command_metrics, command_export, command_check, command_run,
    command_doctor, command_config, command_reload, command_version, command_completion;
