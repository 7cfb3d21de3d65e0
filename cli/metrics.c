/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc metrics: what the daemon counts, in Prometheus' text format, as the daemon writes it.
 */
#include <glib.h>
#include <stdio.h>
#include <unistd.h>

#include "commands.h"
#include "inspect_client.h"
#include "text.h"

/* A reader of the format wants labels as they are; a terminal does not. */
static bool print(void *userdata, const char *line)
{
    const bool *terminal = userdata;
    g_autofree char *clean = *terminal ? text_clean(line) : NULL;
    puts(clean ? clean : line);
    return true;
}

static int run(struct arguments *arguments)
{
    bool terminal = isatty(STDOUT_FILENO);
    int r =
        inspect_client_ask(arguments->socket, (const char *[]){"metrics", NULL}, print, &terminal);
    if (r == KUBESVC_INSPECT_DONE)
        return STATUS_DONE;
    inspect_client_complain(arguments->socket, r, false);
    return STATUS_FAILED;
}

const struct command command_metrics = {
    .name = "metrics",
    .summary = "print the daemon's counters for Prometheus",
    .operands = "",
    .description =
        "Prints the daemon's counters in the text format of Prometheus, such as for the\n"
        "textfile collector of its node exporter.\n",
    .examples = "  kubesvc metrics\n"
                "  kubesvc metrics >/var/lib/prometheus/node-exporter/kubesvc.prom\n",
    .takes = TAKES_SOCKET,
    .run = run,
};
