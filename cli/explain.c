/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc explain: the way to an answer, step by step, as the daemon went it.
 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "commands.h"
#include "json_text.h"
#include "print_fields.h"
#include "value.h"

struct explanation {
    struct json *json; /* NULL: as text */
    bool any;
    bool found, later; /* later: the daemon does not know it yet */
    char *section;     /* of the last step */
};

static void begin_section(struct explanation *explanation, const char *step)
{
    static const char *const titles[][2] = {
        {"candidate", "Names tried"}, {"service", "Service"},    {"pod", "Pods"},
        {"cause", "Possible causes"}, {"near", "Similar names"}, {"result", "Result"},
    };
    if (g_strcmp0(explanation->section, step) == 0)
        return;
    g_free(explanation->section);
    explanation->section = g_strdup(step);
    for (size_t i = 0; i < G_N_ELEMENTS(titles); i++) {
        if (strcmp(titles[i][0], step) != 0)
            continue;
        g_autofree char *styled = text_styled(titles[i][1], STYLE_BOLD);
        printf("%s%s\n", explanation->any ? "\n" : "", styled);
    }
}

static enum text_style style_of(yajl_val item, const char *step, const char *mark)
{
    if (strcmp(step, "pod") == 0)
        return value_bool(item, "counts") ? STYLE_GOOD : STYLE_WARN;
    if (strcmp(mark, "FOUND") == 0 || strcmp(mark, "EXTERNAL") == 0)
        return STYLE_GOOD;
    return strcmp(step, "result") == 0 ? STYLE_BAD : STYLE_PLAIN;
}

/* "moon/db-0", "Deployment moon/app" */
static char *subject_of(yajl_val item)
{
    const char *ns = value_text(item, "namespace"), *name = value_text(item, "name");
    const char *slash = name ? strchr(name, '/') : NULL;
    g_autofree char *whole = NULL;
    if (ns && slash)
        whole = g_strdup_printf("%.*s %s%s", (int)(slash - name), name, ns, slash);
    else if (ns && name)
        whole = g_strdup_printf("%s/%s", ns, name);
    return text_clean(whole ? whole : name ? name : "");
}

/* The outcome, from the step's field for it. */
static const char *mark_of(yajl_val item, const char *step)
{
    const char *mark = value_text_or(item, "outcome", value_text(item, "status"));
    if (mark)
        return mark;
    if (strcmp(step, "pod") != 0 || !value_text(item, "name"))
        return "";
    return value_bool(item, "counts") ? "counts" : "left out";
}

static void print_shadowed(yajl_val item)
{
    for (size_t i = 0; i < value_length(item, "shadowed"); i++) {
        g_autofree char *place = value_place(value_element(item, "shadowed", i));
        text_line(6, "also defined, and overridden, in %s", place ? place : "<none>");
    }
}

static void print_step(yajl_val item, const char *step)
{
    const char *text = value_text_or(item, "text", ""), *mark = mark_of(item, step);
    bool told = strcmp(step, "service") == 0; /* its text begins with its name */
    g_autofree char *subject = told ? g_strdup("") : subject_of(item);
    g_autofree char *clean_mark = text_clean(mark);
    g_autofree char *styled = text_styled(clean_mark, style_of(item, step, mark));
    g_autofree char *position = value_position(item, "position");
    if (*subject || *mark)
        printf("  %s%s%s\n", subject, *subject && *mark ? ": " : "", *mark ? styled : "");
    if (*text)
        text_line(*subject || *mark ? 6 : 2, "%s", text);
    if (position)
        text_line(6, "%s", position);
    print_shadowed(item);
}

static bool take(void *userdata, yajl_val item)
{
    struct explanation *explanation = userdata;
    const char *step = value_text(item, "step");
    if (!step)
        return false;
    if (strcmp(step, "result") == 0) {
        explanation->found = value_is(item, "status", "FOUND");
        explanation->later = value_is(item, "status", "TRY_AGAIN");
    }
    if (explanation->json) {
        if (!explanation->any)
            json_open_items(explanation->json);
        json_value(explanation->json, NULL, item);
    } else {
        begin_section(explanation, step);
        print_step(item, step);
    }
    explanation->any = true;
    return false;
}

static int run(struct arguments *arguments)
{
    const char *name = arguments->operands[0];
    if (!ask_can_be(name, arguments->json))
        return STATUS_FAILED;
    g_autofree char *ns = ask_namespace(arguments);
    if (!ns)
        return STATUS_FAILED;
    struct explanation explanation = {.json = arguments->json ? json_text_new(stdout, true) : NULL};
    int status = ask(arguments, (const char *[]){"explain", ns, name, NULL}, take, &explanation);
    g_free(explanation.section);
    if (explanation.any && explanation.json)
        json_close_items(explanation.json);
    json_free(explanation.json);
    if (status == STATUS_NOT_FOUND && !explanation.any)
        text_error(arguments->json, "'kubesvc get names -A' lists what resolves",
                   "nothing is known about '%s'", name);
    if (status != STATUS_DONE)
        return status;
    return explanation.found ? STATUS_DONE : explanation.later ? STATUS_FAILED : STATUS_NOT_FOUND;
}

const struct command command_explain = {
    .name = "explain",
    .summary = "explain why a name resolves as it does, or does not",
    .operands = "NAME",
    .description =
        "Explains step by step why a name resolves as it does: the names tried, the Service\n"
        "chosen, its selector, and for every pod whether it counts or what keeps it out: a\n"
        "label, readiness or the family. If the name does not exist: what is wrong with\n"
        "manifests that may contain it, and similar names.\n",
    .examples = "  kubesvc explain web\n"
                "  kubesvc explain -n moon web\n"
                "  kubesvc explain db-0.db.moon.svc.cluster.local\n"
                "  kubesvc explain web -o json\n",
    .takes = TAKES_SOCKET | TAKES_NAMESPACE | TAKES_JSON,
    .least = 1,
    .most = 1,
    .run = run,
};
