/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Findings. Kept until the end, because problems of the whole are found after problems of a file,
 * and belong together with them.
 */
#include "check_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rules.h"
#include "text.h"

struct finding {
    char *path;
    struct diagnostic *diagnostic;
};

struct check_report {
    GPtrArray *items;     /* struct finding * */
    GHashTable *ignored;  /* rules */
    GHashTable *comments; /* path -> struct suppressions * */
    unsigned suppressed;
};

static void finding_free(gpointer data)
{
    struct finding *finding = data;
    g_free(finding->path);
    diagnostic_free(finding->diagnostic);
    g_free(finding);
}

struct check_report *check_report_new(void)
{
    struct check_report *report = g_new0(struct check_report, 1);
    report->items = g_ptr_array_new_with_free_func(finding_free);
    report->ignored = g_hash_table_new(g_str_hash, g_str_equal);
    report->comments = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                             (GDestroyNotify)(void (*)(void))suppressions_free);
    return report;
}

struct check_report *check_report_free(struct check_report *report)
{
    if (!report)
        return NULL;
    g_ptr_array_unref(report->items);
    g_hash_table_unref(report->ignored);
    g_hash_table_unref(report->comments);
    g_free(report);
    return NULL;
}

void check_report_ignore(struct check_report *report, const char *rule)
{
    g_hash_table_add(report->ignored, (gpointer)(uintptr_t)rule);
}

void check_report_suppress(struct check_report *report, const char *path,
                           struct suppressions *suppressions)
{
    g_hash_table_replace(report->comments, g_strdup(path), suppressions);
    for (guint i = 0; i < suppressions->items->len; i++) {
        const struct suppression *item = &g_array_index(suppressions->items, struct suppression, i);
        const char *meant = rules_suggest(item->rule);
        if (rules_find(item->rule))
            continue;
        check_report_take(report, path,
                          diagnostic_new(DIAGNOSTIC_WARNING, item->from, 1, "unknown-rule", NULL,
                                         "unknown rule %s%s%s%s", item->rule,
                                         meant ? "; did you mean " : "", meant ? meant : "",
                                         meant ? "?" : ""));
    }
}

unsigned check_report_suppressed(const struct check_report *report)
{
    return report->suppressed;
}

static bool is_suppressed(const struct check_report *report, const char *path,
                          const struct diagnostic *diagnostic)
{
    const struct suppressions *suppressions = g_hash_table_lookup(report->comments, path);
    return suppressions && diagnostic->rule &&
           suppressions_cover(suppressions, diagnostic->rule, diagnostic->line);
}

void check_report_take(struct check_report *report, const char *path, struct diagnostic *diagnostic)
{
    if (diagnostic->rule && g_hash_table_contains(report->ignored, diagnostic->rule)) {
        diagnostic_free(diagnostic);
        return;
    }
    if (is_suppressed(report, path, diagnostic)) {
        report->suppressed++;
        diagnostic_free(diagnostic);
        return;
    }
    struct finding *finding = g_new0(struct finding, 1);
    finding->path = g_strdup(path);
    finding->diagnostic = diagnostic;
    g_ptr_array_add(report->items, finding);
}

void check_report_add(struct check_report *report, enum diagnostic_severity severity,
                      const char *rule, const struct object *object, struct position position,
                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (position.line == 0)
        position = (struct position){object->line, object->column};
    g_autofree char *description = object_describe(object);
    check_report_take(
        report, object->source->path,
        diagnostic_new(severity, position.line, position.column, rule, description, "%s", message));
}

static int compare(gconstpointer a, gconstpointer b)
{
    const struct finding *x = *(struct finding *const *)a, *y = *(struct finding *const *)b;
    const struct diagnostic *d = x->diagnostic, *e = y->diagnostic;
    int order = strcmp(x->path, y->path);
    if (order != 0)
        return order;
    if (d->line != e->line)
        return d->line < e->line ? -1 : 1;
    if (d->column != e->column)
        return d->column < e->column ? -1 : 1;
    order = g_strcmp0(d->rule, e->rule);
    return order != 0 ? order : strcmp(d->message, e->message);
}

unsigned check_report_count(const struct check_report *report, enum diagnostic_severity severity)
{
    unsigned n = 0;
    for (guint i = 0; i < report->items->len; i++)
        n += ((const struct finding *)report->items->pdata[i])->diagnostic->severity == severity;
    return n;
}

void check_report_print(struct check_report *report)
{
    g_ptr_array_sort(report->items, compare);
    g_autofree char *error = text_styled("error", STYLE_BAD);
    g_autofree char *warning = text_styled("warning", STYLE_WARN);
    for (guint i = 0; i < report->items->len; i++) {
        const struct finding *finding = report->items->pdata[i];
        const struct diagnostic *diagnostic = finding->diagnostic;
        g_autofree char *path = text_clean(finding->path);
        g_autofree char *message = text_clean(diagnostic->message);
        fputs(path, stdout);
        if (diagnostic->line > 0)
            printf(":%u:%u", diagnostic->line, diagnostic->column);
        printf(": %s: ", diagnostic->severity == DIAGNOSTIC_ERROR ? error : warning);
        if (diagnostic->object)
            printf("%s: ", diagnostic->object);
        printf("%s [%s]\n", message, diagnostic->rule);
    }
}

void check_report_write(struct check_report *report, struct json *json)
{
    g_ptr_array_sort(report->items, compare);
    json_open_list(json, "findings");
    for (guint i = 0; i < report->items->len; i++) {
        const struct finding *finding = report->items->pdata[i];
        json_open(json, NULL);
        json_diagnostic(json, finding->path, finding->diagnostic);
        json_close(json);
    }
    json_close_list(json);
}
