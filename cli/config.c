/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc config show: the configuration of the running daemon as YAML, each value with the place
 * it comes from, and whether a reload would change it.
 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "commands.h"
#include "configuration.h"
#include "text.h"
#include "yaml_text.h"

#define COMMENT_COLUMN 40

static char *origin_of(yajl_val setting)
{
    const char *file = value_text(setting, "file");

    if (file)
        return g_strdup_printf("%s:%" G_GINT64_FORMAT, file, value_number(setting, "line"));
    return g_strdup(value_text_or(setting, "option", "default"));
}

/* "key: value" in block style, with the origin behind the first line. */
static void print_setting(yajl_val setting)
{
    g_autofree char *origin = origin_of(setting), *clean = text_clean(origin), *comment = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    yajl_val value = value_get(setting, "value");
    struct yajl_val_s null = {.type = yajl_t_null};
    yajl_val values[] = {value ? value : &null};
    const char *keys[] = {value_text_or(setting, "key", "")};
    struct yajl_val_s map = {.type = yajl_t_object,
                             .u.object = {.keys = keys, .values = values, .len = 1}};

    yaml_text_append(text, &map);
    size_t length = strcspn(text->str, "\n");
    g_autofree char *first = g_strndup(text->str, length);
    comment = g_strdup_printf("# %s", clean);
    g_autofree char *styled = text_styled(comment, STYLE_FAINT);
    int blanks = COMMENT_COLUMN - (int)text_width(first);
    printf("%s%*s%s\n%s", first, blanks > 2 ? blanks : 2, "", styled, text->str + length + 1);
}

static void print_text(yajl_val config)
{
    configuration_print(config);
    for (size_t i = 0; i < value_length(config, "settings"); i++)
        print_setting(value_element(config, "settings", i));
}

static int run(struct arguments *arguments)
{
    if (strcmp(arguments->operands[0], "show") != 0) {
        text_error(arguments->json, "usage: kubesvc config show",
                   "unknown subcommand '%s' of 'config'", arguments->operands[0]);
        return STATUS_FAILED;
    }
    value_auto yajl_val config = NULL;
    if (ask_one(arguments, (const char *[]){"config", NULL}, &config) != STATUS_DONE)
        return STATUS_FAILED;
    if (!ask_print_data(arguments, config))
        print_text(config);
    return STATUS_DONE;
}

const struct command command_config = {
    .name = "config",
    .summary = "show the configuration in effect and where each value comes from",
    .operands = "show",
    .description =
        "Shows the configuration in effect and where each value comes from: a file and line,\n"
        "a command-line option, or the default. Reports whether the files have changed since, or\n"
        "were rejected.\n",
    .examples = "  kubesvc config show\n"
                "  kubesvc config show -o json | jq '.settings[] | select(.source == \"file\")'\n",
    .takes = TAKES_SOCKET | TAKES_JSON | TAKES_YAML,
    .least = 1,
    .most = 1,
    .run = run,
};
