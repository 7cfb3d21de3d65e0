/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc status: the state of the daemon. Problems come first.
 */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "ask.h"
#include "commands.h"
#include "configuration.h"
#include "copy_text.h"
#include "json_text.h"
#include "print_fields.h"
#include "status_counts.h"
#include "value.h"
#include "yaml_text.h"

static const struct synopsis synopsis = {
    .name = "status",
    .operands = "",
    .description =
        "Shows the daemon's state: what it reads, what is wrong and since when, what it\n"
        "answered, how many addresses it allocated, and what changed last.\n",
    .examples = "  kubesvc status\n"
                "  kubesvc status -o json\n",
    .takes = TAKES_SOCKET | TAKES_JSON | TAKES_YAML,
};

static size_t count_errors(yajl_val status, const char *severity)
{
    size_t n = 0;
    for (size_t i = 0; i < value_length(status, "errors"); i++)
        n += g_strcmp0(value_text(value_element(status, "errors", i), "severity"), severity) == 0;
    return n;
}

static void append_count(GString *text, size_t n, const char *what)
{
    if (n > 0)
        g_string_append_printf(text, ", %zu %s%s", n, what, n == 1 ? "" : "s");
}

/* How far a load is, or a large change. */
static void append_progress(GString *text, yajl_val loading)
{
    if (!loading)
        return;
    g_string_append_printf(text,
                           ", %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                           " files read, %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                           " objects taken in",
                           value_number(loading, "files"), value_number(loading, "filesFound"),
                           value_number(loading, "objects"), value_number(loading, "objectsFound"));
}

static void print_head(yajl_val status)
{
    size_t errors = count_errors(status, "error"), warnings = count_errors(status, "warning");
    bool loaded = value_bool(status, "loaded");
    const char *version = value_text(status, "version");
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "kubesvcd %s: %s", version ? version : "",
                           loaded ? "running" : "loading, not all names are known yet");
    append_progress(text, value_get(status, "loading"));
    append_count(text, errors, "error");
    append_count(text, warnings, "warning");
    append_count(text, value_length(status, "conflicts"), "duplicate object");
    if (loaded && value_number(status, "objects") == 0)
        g_string_append(text, ", but it has no objects and answers nothing");
    bool rejected;
    g_autofree char *wrong = configuration_wrong(value_get(status, "configuration"), &rejected);
    if (wrong && rejected)
        g_string_append(text, ", configuration rejected");
    bool good = loaded && errors == 0 && value_number(status, "objects") > 0 && !rejected;
    enum text_style style = !good ? STYLE_BAD : warnings > 0 ? STYLE_WARN : STYLE_GOOD;
    g_autofree char *clean = text_clean(text->str), *styled = text_styled(clean, style);
    puts(styled);
}

static void print_configuration(yajl_val status)
{
    yajl_val config = value_get(status, "configuration");
    bool rejected;
    g_autofree char *files = configuration_files(config);
    g_autofree char *wrong = configuration_wrong(config, &rejected);
    field("Configuration", files);
    if (wrong)
        field_styled("", wrong, rejected ? STYLE_BAD : STYLE_WARN);
}

static void print_sources(yajl_val status)
{
    for (size_t i = 0; i < value_length(status, "sources"); i++) {
        yajl_val source = value_element(status, "sources", i);
        const char *watch = value_text(source, "watch"), *path = value_text(source, "path");
        const char *label = i == 0 ? "Sources" : "";
        if (g_strcmp0(watch, "missing") == 0) {
            g_autofree char *text = g_strdup_printf("%s (does not exist yet)", path);
            field_styled(label, text, STYLE_WARN);
            continue;
        }
        g_autofree char *files = text_plural(value_number(source, "files"), "file");
        g_autofree char *objects = text_plural(value_number(source, "objects"), "object");
        const char *zone = value_text(source, "zone");
        field_format(label, "%s (%s, %s, %s%s%s)", path ? path : "", files, objects,
                     watch ? watch : "", zone ? ", zone " : "", zone ? zone : "");
    }
}

/* "podman: /run/... (1 file, 4 pods seen, 3 of them in manifests, inotify)" */
static void print_runtimes(yajl_val status)
{
    for (size_t i = 0; i < value_length(status, "runtimes"); i++) {
        yajl_val runtime = value_element(status, "runtimes", i);
        const char *name = value_text(runtime, "runtime"), *path = value_text(runtime, "directory");
        const char *watch = value_text(runtime, "watch"), *label = i == 0 ? "Runtimes" : "";
        g_autoptr(GString) text = g_string_new(NULL);
        g_string_append_printf(text, "%s: %s ", name ? name : "", path ? path : "");
        if (g_strcmp0(watch, "inotify") != 0 && g_strcmp0(watch, "polling") != 0) {
            g_string_append(text, g_strcmp0(watch, "missing") == 0 ? "(does not exist yet)"
                                                                   : "(cannot be read)");
            field_styled(label, text->str, STYLE_WARN);
            continue;
        }
        g_autofree char *files = text_plural(value_number(runtime, "files"), "file");
        g_string_append_printf(text, "(%s, ", files);
        if (value_get(runtime, "seen")) {
            g_autofree char *seen = text_plural(value_number(runtime, "seen"), "pod");
            g_string_append_printf(text, "%s seen, %" G_GINT64_FORMAT " of them in manifests, ",
                                   seen, value_number(runtime, "taken"));
        }
        g_string_append_printf(text, "%s)", watch);
        field(label, text->str);
    }
}

/* "prod: no contact since 2026-11-28T12:03:00Z, 4 min: cannot list services: ..." */
static void print_clusters(yajl_val status)
{
    for (size_t i = 0; i < value_length(status, "clusters"); i++) {
        yajl_val cluster = value_element(status, "clusters", i);
        bool fresh = value_bool(cluster, "fresh");
        g_autofree char *text = copy_text(cluster), *clean = text_clean(text);

        field_styled(i == 0 ? "Clusters" : "", clean, fresh ? STYLE_PLAIN : STYLE_WARN);
    }
}

/* "3 (not .yaml, .yml or .json): /m/a.txt, /m/b.txt, /m/c.tpl" */
static void print_group(yajl_val group, const char *label)
{
    static const char *const words[][2] = {
        {"hidden", "hidden"},
        {"leftover", "backups and other leftovers"},
        {"other ending", "not .yaml, .yml or .json"},
        {"not recursive", "directories, `recursive` is not set"},
    };
    const char *why = value_text(group, "why");
    yajl_val first = value_get(group, "first");
    size_t n = value_length(group, "first");
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "%" G_GINT64_FORMAT " ", value_number(group, "count"));
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_strcmp0(why, words[i][0]) == 0)
            g_string_append_printf(text, "(%s)", words[i][1]);
    for (size_t i = 0; i < n; i++) {
        yajl_val path = first->u.array.values[i];
        g_string_append_printf(text, "%s%s", i == 0 ? ": " : ", ",
                               YAJL_IS_STRING(path) ? YAJL_GET_STRING(path) : "");
    }
    if (value_number(group, "count") > (int64_t)n)
        g_string_append(text, " ...");
    field(label, text->str);
}

static void print_passed_over(yajl_val status)
{
    for (size_t i = 0; i < value_length(status, "passedOver"); i++)
        print_group(value_element(status, "passedOver", i), i == 0 ? "Skipped" : "");
}

static void print_error(yajl_val error)
{
    const char *severity = value_text(error, "severity"), *object = value_text(error, "object");
    const char *message = value_text(error, "message"), *rule = value_text(error, "rule");
    const char *since = value_text(error, "since");
    bool is_error = g_strcmp0(severity, "error") == 0;
    g_autofree char *place = value_place(error);
    g_autofree char *place_clean = text_clean(place);
    g_autofree char *severity_styled =
        text_styled(is_error ? "error" : "warning", is_error ? STYLE_BAD : STYLE_WARN);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s%s%s", object ? object : "", object ? ": " : "",
                           message ? message : "");
    if (rule)
        g_string_append_printf(text, " [%s]", rule);
    g_autofree char *clean = text_clean(text->str);
    printf("  %s: %s: %s\n", place_clean, severity_styled, clean);
    if (value_bool(error, "stale")) {
        g_autofree char *since_clean = text_clean(since ? since : "some time");
        printf("      the file's last good content has been in effect since %s\n", since_clean);
    }
}

static void print_errors(yajl_val status)
{
    if (value_length(status, "errors") == 0)
        return;
    field_section("Errors and warnings");
    for (size_t i = 0; i < value_length(status, "errors"); i++)
        print_error(value_element(status, "errors", i));
}

static void print_conflicts(yajl_val status)
{
    if (value_length(status, "conflicts") == 0)
        return;
    field_section("Duplicates");
    for (size_t i = 0; i < value_length(status, "conflicts"); i++) {
        yajl_val conflict = value_element(status, "conflicts", i);
        g_autofree char *object = text_clean(value_text(conflict, "object"));
        g_autofree char *in_force = value_position(conflict, "inForce");
        g_autofree char *shadowed = value_position(conflict, "shadowed");
        g_autofree char *in_force_clean = text_clean(in_force);
        g_autofree char *shadowed_clean = text_clean(shadowed);
        printf("  %s\n      in effect:  %s\n      overridden: %s\n", object, in_force_clean,
               shadowed_clean);
    }
}

static void print_notes(yajl_val status)
{
    yajl_val notes = value_get(status, "notes");
    if (value_length(status, "notes") == 0)
        return;
    field_section("Notes");
    for (size_t i = 0; i < value_length(status, "notes"); i++) {
        yajl_val note = notes->u.array.values[i];
        g_autofree char *clean = text_clean(YAJL_IS_STRING(note) ? YAJL_GET_STRING(note) : NULL);
        printf("  %s\n", clean);
    }
}

static void print_changes(yajl_val status)
{
    if (value_length(status, "changes") == 0)
        return;
    field_section("Last changes");
    for (size_t i = 0; i < value_length(status, "changes"); i++) {
        yajl_val change = value_element(status, "changes", i);
        g_autofree char *time = text_clean(value_text(change, "time"));
        g_autofree char *text = text_clean(value_text(change, "text"));
        printf("  %s  %s\n", time, text);
    }
}

static void print_text(yajl_val status)
{
    print_head(status);
    status_print_uptime(status);
    g_autofree char *zones = value_joined(status, "zones", ", *.");
    field_format("Answers", "*.%s%s%s, short names in namespace %s", value_text(status, "zone"),
                 *zones ? ", *." : "", zones, value_text(status, "namespace"));
    field("Socket", value_text(status, "socket"));
    field("State", value_text(status, "state"));
    print_configuration(status);
    print_sources(status);
    print_runtimes(status);
    print_clusters(status);
    g_autofree char *files = text_plural(value_number(status, "files"), "file");
    field_format("Objects", "%" G_GINT64_FORMAT " from %s", value_number(status, "objects"), files);
    print_passed_over(status);
    status_print_counts(status);
    print_errors(status);
    print_conflicts(status);
    print_notes(status);
    print_changes(status);
}

int command_status(int argc, char **argv)
{
    struct arguments arguments;
    int status = arguments_parse(&arguments, &synopsis, argc, argv);
    if (status != ARGUMENTS_GO_ON)
        return status;
    ask_auto yajl_val answer = NULL;
    status = ask_one(&arguments, (const char *[]){"status", NULL}, &answer);
    if (status != STATUS_DONE)
        return STATUS_FAILED;
    if (arguments.format == FORMAT_JSON || arguments.format == FORMAT_YAML) {
        g_autoptr(GString) text = g_string_new(NULL);
        if (arguments.format == FORMAT_YAML)
            yaml_text_append(text, answer);
        else
            json_text_append(text, answer, 0);
        printf("%s%s", text->str, arguments.format == FORMAT_YAML ? "" : "\n");
    } else {
        print_text(answer);
    }
    return STATUS_DONE;
}
