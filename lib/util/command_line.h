/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line of a program without commands: long options, --help and --version.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "error.h"

struct command_line_option {
    const char *name;
    const char **text; /* one of these two takes the value, which lies in `argv`; */
    GPtrArray *list;
    bool *flag; /* or the option has none, and is noted here */
};

struct command_line {
    const char *program;                       /* its name, for messages */
    const char *help;                          /* text for --help */
    const struct command_line_option *options; /* ended by one without a name */
    GPtrArray *arguments; /* takes what is no option, once there is something in it, or after "--";
                             NULL: there are no arguments */
};

enum {
    COMMAND_LINE_DONE = 1, /* --help or --version was answered */
    COMMAND_LINE_WRONG,    /* reported on stderr */
};

/* 0, COMMAND_LINE_DONE or COMMAND_LINE_WRONG. */
MUST_USE int command_line_read(const struct command_line *line, int argc, char **argv);
