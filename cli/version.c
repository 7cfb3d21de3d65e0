/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc version: this program's, and the daemon's if there is one.
 */
#include <stdio.h>

#include "ask.h"
#include "commands.h"
#include "json_text.h"
#include "text.h"

static int run(struct arguments *arguments)
{
    value_auto yajl_val answer = NULL;
    ask_quietly(arguments, (const char *[]){"status", NULL}, &answer);
    const char *daemon = value_text(answer, "version");
    if (!arguments->json) {
        g_autofree char *clean = text_clean(daemon ? daemon : "does not answer");
        printf("kubesvc  " KUBESVC_VERSION "\nkubesvcd %s\n", clean);
        return STATUS_DONE;
    }
    struct json *json = json_text_new(stdout, true);
    json_open(json, NULL);
    json_text(json, "kubesvc", KUBESVC_VERSION);
    json_text(json, "kubesvcd", daemon);
    json_close(json);
    json_free(json);
    return STATUS_DONE;
}

const struct command command_version = {
    .name = "version",
    .summary = "show the versions of this program and of the daemon",
    .operands = "",
    .description = "Shows the version of this program, and of the daemon if one answers.\n",
    .examples = "  kubesvc version\n"
                "  kubesvc version -o json\n",
    .takes = TAKES_SOCKET | TAKES_JSON,
    .run = run,
};
