/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc status: the state of the daemon. Problems come first.
 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "commands.h"
#include "configuration.h"
#include "copy_text.h"
#include "print_fields.h"
#include "status_counts.h"

static size_t count_errors(yajl_val status, const char *severity)
{
    size_t n = 0;
    for (size_t i = 0; i < value_length(status, "errors"); i++)
        n += value_is(value_element(status, "errors", i), "severity", severity);
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
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "kubesvcd %s: %s", value_text_or(status, "version", ""),
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
        const char *watch = value_text_or(source, "watch", "");
        const char *path = value_text_or(source, "path", ""), *label = i == 0 ? "Sources" : "";
        if (strcmp(watch, "missing") == 0) {
            g_autofree char *text = g_strdup_printf("%s (does not exist yet)", path);
            field_styled(label, text, STYLE_WARN);
            continue;
        }
        g_autofree char *files = text_plural(value_number(source, "files"), "file");
        g_autofree char *objects = text_plural(value_number(source, "objects"), "object");
        const char *zone = value_text(source, "zone");
        field_format(label, "%s (%s, %s, %s%s%s)", path, files, objects, watch,
                     zone ? ", zone " : "", zone ? zone : "");
    }
}

static const char *why_not_watched(const char *watch)
{
    if (g_strcmp0(watch, "missing") == 0)
        return "(does not exist yet)";
    return g_strcmp0(watch, "removed") == 0 ? "(removed)" : "(cannot be read)";
}

/* "podman: /run/... (1 file, 4 pods seen, 3 of them in manifests, inotify)" */
static void print_runtimes(yajl_val status)
{
    for (size_t i = 0; i < value_length(status, "runtimes"); i++) {
        yajl_val runtime = value_element(status, "runtimes", i);
        const char *watch = value_text(runtime, "watch"), *label = i == 0 ? "Runtimes" : "";
        g_autoptr(GString) text = g_string_new(NULL);
        g_string_append_printf(text, "%s: %s ", value_text_or(runtime, "runtime", ""),
                               value_text_or(runtime, "directory", ""));
        if (g_strcmp0(watch, "inotify") != 0 && g_strcmp0(watch, "polling") != 0) {
            g_string_append(text, why_not_watched(watch));
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
        g_autofree char *text = copy_text(cluster);

        field_styled(i == 0 ? "Clusters" : "", text, fresh ? STYLE_PLAIN : STYLE_WARN);
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
        {"skipped", "by a .skip file, as in k3s"},
    };
    size_t n = value_length(group, "first");
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "%" G_GINT64_FORMAT " ", value_number(group, "count"));
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (value_is(group, "why", words[i][0]))
            g_string_append_printf(text, "(%s)", words[i][1]);
    g_autofree char *first = value_joined(group, "first", ", ");
    g_string_append_printf(text, "%s%s", n > 0 ? ": " : "", first);
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
    const char *object = value_text(error, "object"), *rule = value_text(error, "rule");
    bool is_error = value_is(error, "severity", "error");
    g_autofree char *place = value_place(error), *place_clean = text_clean(place);
    g_autofree char *severity =
        text_styled(is_error ? "error" : "warning", is_error ? STYLE_BAD : STYLE_WARN);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s%s%s", object ? object : "", object ? ": " : "",
                           value_text_or(error, "message", ""));
    if (rule)
        g_string_append_printf(text, " [%s]", rule);
    g_autofree char *clean = text_clean(text->str);
    printf("  %s: %s: %s\n", place_clean, severity, clean);
    if (value_bool(error, "stale"))
        text_line(6, "the file's last good content has been in effect since %s",
                  value_text_or(error, "since", "some time"));
}

static void print_conflict(yajl_val conflict)
{
    g_autofree char *in_force = value_position(conflict, "inForce");
    g_autofree char *shadowed = value_position(conflict, "shadowed");
    text_line(2, "%s", value_text_or(conflict, "object", "<none>"));
    text_line(6, "in effect:  %s", in_force ? in_force : "<none>");
    text_line(6, "overridden: %s", shadowed ? shadowed : "<none>");
}

static void print_note(yajl_val note)
{
    text_line(2, "%s", YAJL_IS_STRING(note) ? YAJL_GET_STRING(note) : "<none>");
}

static void print_change(yajl_val change)
{
    text_line(2, "%s  %s", value_text_or(change, "time", "<none>"),
              value_text_or(change, "text", "<none>"));
}

static void print_sections(yajl_val status)
{
    static const struct {
        const char *key, *title;
        void (*print)(yajl_val element);
    } sections[] = {
        {"errors", "Errors and warnings", print_error},
        {"conflicts", "Duplicates", print_conflict},
        {"notes", "Notes", print_note},
        {"changes", "Last changes", print_change},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(sections); i++) {
        size_t n = value_length(status, sections[i].key);
        if (n > 0)
            field_section(sections[i].title);
        for (size_t j = 0; j < n; j++)
            sections[i].print(value_element(status, sections[i].key, j));
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
    print_sections(status);
}

static int run(struct arguments *arguments)
{
    value_auto yajl_val answer = NULL;
    if (ask_one(arguments, (const char *[]){"status", NULL}, &answer) != STATUS_DONE)
        return STATUS_FAILED;
    if (!ask_print_data(arguments, answer))
        print_text(answer);
    return STATUS_DONE;
}

const struct command command_status = {
    .name = "status",
    .summary = "show the daemon's state: what it reads, answers and finds wrong",
    .operands = "",
    .description =
        "Shows the daemon's state: what it reads, what is wrong and since when, what it\n"
        "answered, how many addresses it allocated, and what changed last.\n",
    .examples = "  kubesvc status\n"
                "  kubesvc status -o json\n",
    .takes = TAKES_SOCKET | TAKES_JSON | TAKES_YAML,
    .run = run,
};
