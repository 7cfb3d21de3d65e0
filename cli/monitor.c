/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc monitor: changes, and questions for permitted users, one line each.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "inspect_client.h"
#include "json_text.h"
#include "text.h"
#include "value.h"

static char *question_text(yajl_val event)
{
    const char *name = value_text(event, "name"), *family = value_text(event, "family");
    const char *ns = value_text(event, "namespace");
    GString *text = g_string_new(name);
    if (family && strcmp(family, "any") != 0)
        g_string_append_printf(text, " (%s)", family);
    if (ns && *ns)
        g_string_append_printf(text, " in %s", ns);
    g_string_append_printf(text, ": %s", value_text_or(event, "status", ""));
    int64_t n = value_number(event, "addresses");
    if (n > 0)
        g_string_append_printf(text, ", %" G_GINT64_FORMAT " address%s", n, n == 1 ? "" : "es");
    g_string_append_printf(text, ", %g ms", (double)value_number(event, "microseconds") / 1000);
    if (value_get(event, "pid"))
        g_string_append_printf(text, ", process %" G_GINT64_FORMAT " of user %" G_GINT64_FORMAT,
                               value_number(event, "pid"), value_number(event, "uid"));
    return g_string_free(text, FALSE);
}

static void print_text(yajl_val event)
{
    bool question = value_is(event, "event", "question");
    g_autofree char *raw =
        question ? question_text(event) : g_strdup(value_text_or(event, "text", ""));
    g_autofree char *clean = text_clean(raw), *time = text_clean(value_text(event, "time"));
    g_autofree char *faint = text_styled(time, STYLE_FAINT);
    printf("%s  %s  %s\n", faint, question ? "question" : "change  ", clean);
}

static bool take(void *userdata, const char *line)
{
    const struct arguments *arguments = userdata;
    value_auto yajl_val event = value_parse(line);
    if (!event)
        return true; /* one line less; the next may be whole again */
    if (arguments->json) {
        g_autoptr(GString) text = g_string_new(NULL);
        json_text_append_line(text, event);
        puts(text->str);
    } else {
        print_text(event);
    }
    return fflush(stdout) == 0;
}

static int run(struct arguments *arguments)
{
    inspect_client_auto struct inspect_client *link = NULL;
    int r = inspect_client_watch(&link, arguments->socket, arguments->questions);
    if (r == KUBESVC_INSPECT_DONE) {
        if (!arguments->json)
            fprintf(stderr, "Waiting for changes%s; press Ctrl-C to stop.\n",
                    arguments->questions ? " and lookups" : "");
        r = inspect_client_read(link, -1, take, arguments);
    }
    if (r != INSPECT_CLIENT_STOPPED) /* by what cannot be written */
        inspect_client_complain(arguments->socket, r, arguments->json);
    return STATUS_FAILED;
}

const struct command command_monitor = {
    .name = "monitor",
    .summary = "print changes and lookups as they happen",
    .operands = "",
    .description =
        "Keeps running and prints a line for each change of what resolves, and with --questions\n"
        "also for each lookup and its answer. With -o json, each line is an object.\n",
    .examples = "  kubesvc monitor\n"
                "  sudo kubesvc monitor --questions\n"
                "  kubesvc monitor -o json | jq .text\n",
    .takes = TAKES_SOCKET | TAKES_JSON | TAKES_MONITOR,
    .run = run,
};
