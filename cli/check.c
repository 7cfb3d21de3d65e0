/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc check: what is wrong with manifests, without a daemon. It reads, asks the rules, and says
 * what they found; as text for people, editors and CI, or as JSON.
 */
#include <stdio.h>
#include <string.h>

#include "check_host.h"
#include "check_report.h"
#include "commands.h"
#include "ignore.h"
#include "input_set.h"
#include "json_text.h"
#include "lint.h"
#include "rules.h"
#include "text.h"

static bool ignore_rules(struct check_report *report, const char *text, bool json)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word; word++) {
        const char *rule = rules_find(*word), *meant = rules_suggest(*word);
        if (rule) {
            check_report_ignore(report, rule);
            continue;
        }
        if (**word == '\0')
            continue;
        g_autofree char *remedy = meant ? g_strdup_printf("did you mean '%s'?", meant)
                                        : g_strdup("'kubesvc check --help' lists them");
        text_error(json, remedy, "unknown rule '%s'", *word);
        return false;
    }
    return true;
}

static void write_files(struct json *json, const struct input_set *inputs)
{
    json_open_list(json, "files");
    for (guint i = 0; i < inputs->files->len; i++) {
        const struct input_file *file = inputs->files->pdata[i];
        json_open(json, NULL);
        json_text(json, "file", file->path);
        json_number(json, "objects", file->objects);
        json_number(json, "services", file->services);
        json_number(json, "pods", file->pods);
        json_number(json, "workloads", file->workloads);
        json_close(json);
    }
    json_close_list(json);
}

/* `note`: about the host, or NULL. */
static void print_json(const struct input_set *inputs, unsigned errors, unsigned warnings,
                       const char *note)
{
    struct json *json = json_text_new(stdout, true);
    json_open(json, NULL);
    check_report_write(inputs->report, json);
    write_files(json, inputs);
    json_number(json, "errors", errors);
    json_number(json, "warnings", warnings);
    json_text(json, "note", note);
    json_close(json);
    json_free(json);
}

static void print_plural(unsigned n, const char *what, const char *end)
{
    fprintf(stderr, "%u %s%s%s", n, what, n == 1 ? "" : "s", end);
}

static void print_summary(const struct input_set *inputs, unsigned errors, unsigned warnings,
                          const char *note)
{
    unsigned objects = 0, services = 0, suppressed = check_report_suppressed(inputs->report);
    for (guint i = 0; i < inputs->files->len; i++) {
        const struct input_file *file = inputs->files->pdata[i];
        objects += file->objects;
        services += file->services;
    }
    fflush(stdout);
    print_plural(errors, "error", ", ");
    print_plural(warnings, "warning", "; ");
    print_plural(inputs->files->len, "file", ", ");
    print_plural(objects, "object", ", of them ");
    print_plural(services, "Service", suppressed > 0 ? "; " : "\n");
    if (suppressed > 0)
        fprintf(stderr, "%u suppressed\n", suppressed);
    if (note)
        fprintf(stderr, "note: %s\n", note);
}

static int print_all(const struct input_set *inputs, const struct arguments *arguments)
{
    unsigned errors = check_report_count(inputs->report, DIAGNOSTIC_ERROR);
    unsigned warnings = check_report_count(inputs->report, DIAGNOSTIC_WARNING);
    g_autofree char *note = check_host_note(inputs, arguments->socket);
    if (arguments->format == FORMAT_JSON) {
        print_json(inputs, errors, warnings, note);
    } else {
        check_report_print(inputs->report);
        print_summary(inputs, errors, warnings, note);
    }
    return errors > 0 || (arguments->strict && warnings > 0) ? STATUS_FAILED : STATUS_DONE;
}

/* Rules are dropped from the findings, paths come into `patterns`. */
static bool ignore(struct check_report *report, GPtrArray *patterns,
                   const struct arguments *arguments)
{
    for (const char *const *text = arguments->ignore; *text; text++)
        if (ignore_is_pattern(*text))
            g_ptr_array_add(patterns, (gpointer)(uintptr_t)*text);
        else if (!ignore_rules(report, *text, arguments->json))
            return false;
    g_ptr_array_add(patterns, NULL);
    return true;
}

static int check(const struct arguments *arguments, struct check_report *report)
{
    struct input_set inputs;
    g_autoptr(GPtrArray) patterns = g_ptr_array_new();
    if (!ignore(report, patterns, arguments))
        return STATUS_FAILED;
    input_set_init(&inputs, report);
    if (arguments->ns)
        inputs.ns = arguments->ns;
    inputs.recursive = arguments->recursive;
    inputs.skip_templates = arguments->skip_templates;
    inputs.ignored = (const char *const *)(void *)patterns->pdata;
    for (int i = 0; i < arguments->n; i++)
        input_set_add(&inputs, arguments->operands[i]);
    input_set_end(&inputs);
    lint_model_index(inputs.model);
    lint_world(inputs.model, report);
    int status = print_all(&inputs, arguments);
    input_set_clear(&inputs);
    return status;
}

static int run(struct arguments *arguments)
{
    if (arguments->ns && !dns_label_is_valid(arguments->ns)) {
        text_error(arguments->json, "a namespace is a DNS label ([a-z0-9-])",
                   "'%s' is not a namespace", arguments->ns);
        return STATUS_FAILED;
    }
    struct check_report *report = check_report_new();
    int status = check(arguments, report);
    check_report_free(report);
    return status;
}

const struct command command_check = {
    .name = "check",
    .summary = "check manifests for errors, without a daemon",
    .operands = "PATH...",
    .description =
        "Checks manifests as the daemon would read them, all together as one cluster. A\n"
        "PATH is a file, a directory, or - for standard input. Prints\n"
        "    FILE:LINE:COLUMN: error|warning: OBJECT: MESSAGE [RULE]\n"
        "for each finding, and a summary to standard error. Needs no daemon; if one runs\n"
        "here and nothing forwards connections to the cluster IPs that these Services get,\n"
        "a note says so.\n"
        "Exit status: 1 if there are errors (with --strict: or warnings), else 0. A directory\n"
        "without manifests and an empty input are errors.\n"
        "\n"
        "A pattern without a slash matches all files and directories of that name, as in\n"
        ".gitignore; one with a slash is a path from here or below PATH, in which ** stands\n"
        "for any directories. The comment '# kubesvc-ignore: RULE[,RULE]' suppresses findings\n"
        "on its line; on a line of its own, on the next line; before a document, in all of it.\n"
        "\n"
        "Rules:\n",
    .details = rules_describe,
    .examples = "  kubesvc check k8s/\n"
                "  kubesvc check --strict -R .               in CI\n"
                "  helm template . | kubesvc check -\n"
                "  kubesvc check --ignore target-port,duplicate-object k8s/\n"
                "  kubesvc check -R --skip-templates --ignore '**/test/*.yaml' .\n"
                "  kubesvc check -o json k8s/ | jq '.findings[].rule'\n",
    .takes = TAKES_CHECK | TAKES_JSON,
    .least = 1,
    .most = -1,
    .run = run,
};
