/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table of options over getopt_long. What a value means is the program's business.
 */
#include "command_line.h"

#include <getopt.h>
#include <stdio.h>

#define OPTIONS_MAX 16u
#define FIRST 256 /* the number of the first option */

static int take(const struct command_line_option *option)
{
    if (option->flag)
        *option->flag = true;
    else if (option->list)
        g_ptr_array_add(option->list, optarg);
    else
        *option->text = optarg;
    return 0;
}

static int take_argument(const struct command_line *line, char *argument, bool is_allowed)
{
    if (line->arguments && is_allowed) {
        g_ptr_array_add(line->arguments, argument);
        return 0;
    }
    fprintf(stderr, "%s: unexpected argument '%s'\nTry '%s --help'.\n", line->program, argument,
            line->program);
    return COMMAND_LINE_WRONG;
}

int command_line_read(const struct command_line *line, int argc, char **argv)
{
    struct option options[OPTIONS_MAX + 3] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
    };
    int option, r = 0;

    for (int i = 0; line->options[i].name; i++) {
        g_assert(i < (int)OPTIONS_MAX);
        options[i + 2] = (struct option){
            .name = line->options[i].name,
            .has_arg = line->options[i].flag ? no_argument : required_argument,
            .val = FIRST + i,
        };
    }
    /* "-": arguments come in order, so that those behind an option can belong to it. */
    while (r == 0 && (option = getopt_long(argc, argv, "-", options, NULL)) != -1) {
        switch (option) {
        case 'h': fputs(line->help, stdout); return COMMAND_LINE_DONE;
        case 'v': printf("%s " KUBESVC_VERSION "\n", line->program); return COMMAND_LINE_DONE;
        case '?': fprintf(stderr, "Try '%s --help'.\n", line->program); return COMMAND_LINE_WRONG;
        case 1: r = take_argument(line, optarg, line->arguments && line->arguments->len > 0); break;
        default: r = take(&line->options[option - FIRST]);
        }
    }
    for (; r == 0 && optind < argc; optind++)
        r = take_argument(line, argv[optind], true);
    return r;
}
