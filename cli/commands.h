/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands of kubesvc, one file each. `argv[0]` is the name of the command; the result is the
 * exit status.
 */
#pragma once

enum {
    STATUS_DONE = 0,
    STATUS_FAILED = 1, /* usage, or it could not be done */
    STATUS_NOT_FOUND = 2,
};

int command_query(int argc, char **argv);
int command_get(int argc, char **argv);
int command_describe(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_status(int argc, char **argv);
int command_monitor(int argc, char **argv);
int command_metrics(int argc, char **argv);
int command_export(int argc, char **argv);
int command_check(int argc, char **argv);
int command_run(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_config(int argc, char **argv);
int command_version(int argc, char **argv);
int command_completion(int argc, char **argv);
int command_reload(int argc, char **argv);
