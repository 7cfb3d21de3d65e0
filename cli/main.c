/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc: finds the command, and leaves everything else to it.
 */
#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "lib/util/descriptor.h"
#include "suggest.h"
#include "text.h"

static const struct command *const commands[] = {
    &command_query,   &command_get,     &command_describe, &command_explain, &command_status,
    &command_monitor, &command_metrics, &command_export,   &command_check,   &command_run,
    &command_doctor,  &command_config,  &command_reload,   &command_version, &command_completion,
};

static void print_help(void)
{
    puts("usage: kubesvc [OPTION...] COMMAND [ARGUMENT...]\n"
         "\n"
         "Shows which Kubernetes names resolve on this host, to what, and why.\n"
         "\n"
         "Commands:");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    puts("  help       show options and examples of a command, as 'kubesvc COMMAND --help'\n"
         "\n"
         "Options:\n"
         "  --socket PATH  the daemon's socket\n"
         "  -h, --help     show this help\n"
         "  --version      show the version\n"
         "\n"
         "Examples:\n"
         "  kubesvc query web.moon              what does this name resolve to?\n"
         "  kubesvc get services -A             which Services are there?\n"
         "  kubesvc explain web.moon            why does it not resolve?\n"
         "  kubesvc status                      is anything wrong?\n"
         "\n"
         "Exit status: 0 success, 1 bad usage or failure, 2 not found. See kubesvc(1).");
}

static const struct command *find_command(const char *name)
{
    struct suggestion suggestion = {.word = name};
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
        suggestion_offer(&suggestion, commands[i]->name);
    }
    g_autofree char *nearest = suggestion.nearest, *remedy = NULL;
    remedy = nearest ? g_strdup_printf("did you mean '%s'?", nearest)
                     : g_strdup("'kubesvc --help' lists them");
    text_error(false, remedy, "unknown command '%s'", name);
    return NULL;
}

static int help(int argc, char **argv)
{
    if (argc < 2 || *argv[1] == '-') {
        print_help();
        return STATUS_DONE;
    }
    const struct command *command = find_command(argv[1]);
    if (command)
        arguments_help(command);
    return command ? STATUS_DONE : STATUS_FAILED;
}

static int without_command(int argc, char **argv)
{
    static const struct command itself = {.name = "", .operands = "", .takes = TAKES_SOCKET};
    struct arguments arguments;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            return help(1, argv);
    int status = arguments_parse(&arguments, &itself, argc, argv);
    return status == ARGUMENTS_GO_ON ? help(1, argv) : status;
}

/* Options before the command are the command's: they are moved behind it. */
static int run(int argc, char **argv)
{
    int at = arguments_command(argc, argv);
    /* The reader of our output may stop at any time, even if our parent ignores the signal; but the
     * command that `run` executes inherits what the parent has set. */
    if (at >= argc || strcmp(argv[at], "run") != 0)
        signal(SIGPIPE, SIG_DFL);
    if (at >= argc)
        return without_command(argc, argv);
    g_autofree char **moved = g_new0(char *, (gsize)argc);
    moved[0] = argv[at];
    memcpy(moved + 1, argv + 1, sizeof *argv * (size_t)(at - 1));
    memcpy(moved + at, argv + at + 1, sizeof *argv * (size_t)(argc - at - 1));
    if (strcmp(argv[at], "help") == 0)
        return help(argc - 1, moved);
    const struct command *command = find_command(argv[at]);
    if (!command)
        return STATUS_FAILED;
    struct arguments arguments;
    int status = arguments_parse(&arguments, command, argc - 1, moved);
    return status == ARGUMENTS_GO_ON ? command->run(&arguments) : status;
}

int main(int argc, char **argv)
{
    if (!descriptor_occupy_standard(false))
        return STATUS_FAILED;
    int status = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        text_error(false, NULL, "cannot write: %s", g_strerror(errno));
        return STATUS_FAILED;
    }
    return status;
}
