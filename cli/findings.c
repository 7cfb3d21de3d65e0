/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Findings. Kept until the end, because problems of the whole are found after problems of a file,
 * and belong together with them.
 */
#include "findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json_text.h"
#include "rules.h"
#include "text.h"

struct finding {
    char *path;
    struct diagnostic *diagnostic;
};

struct findings {
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

static void release_suppressions(gpointer suppressions)
{
    suppressions_free(suppressions);
}

struct findings *findings_new(void)
{
    struct findings *findings = g_new0(struct findings, 1);
    findings->items = g_ptr_array_new_with_free_func(finding_free);
    findings->ignored = g_hash_table_new(g_str_hash, g_str_equal);
    findings->comments =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, release_suppressions);
    return findings;
}

struct findings *findings_free(struct findings *findings)
{
    if (!findings)
        return NULL;
    g_ptr_array_unref(findings->items);
    g_hash_table_unref(findings->ignored);
    g_hash_table_unref(findings->comments);
    g_free(findings);
    return NULL;
}

void findings_ignore(struct findings *findings, const char *rule)
{
    g_hash_table_add(findings->ignored, (gpointer)(uintptr_t)rule);
}

void findings_suppress(struct findings *findings, const char *path,
                       struct suppressions *suppressions)
{
    g_hash_table_replace(findings->comments, g_strdup(path), suppressions);
    for (guint i = 0; i < suppressions->items->len; i++) {
        const struct suppression *item = &g_array_index(suppressions->items, struct suppression, i);
        const char *meant = rules_suggest(item->rule);
        if (rules_find(item->rule))
            continue;
        findings_take(findings, path,
                      diagnostic_new(DIAGNOSTIC_WARNING, item->from, 1, "unknown-rule", NULL,
                                     "unknown rule %s%s%s%s", item->rule,
                                     meant ? "; did you mean " : "", meant ? meant : "",
                                     meant ? "?" : ""));
    }
}

unsigned findings_suppressed(const struct findings *findings)
{
    return findings->suppressed;
}

static bool is_suppressed(const struct findings *findings, const char *path,
                          const struct diagnostic *diagnostic)
{
    const struct suppressions *suppressions = g_hash_table_lookup(findings->comments, path);
    return suppressions && diagnostic->rule &&
           suppressions_cover(suppressions, diagnostic->rule, diagnostic->line);
}

void findings_take(struct findings *findings, const char *path, struct diagnostic *diagnostic)
{
    if (diagnostic->rule && g_hash_table_contains(findings->ignored, diagnostic->rule)) {
        diagnostic_free(diagnostic);
        return;
    }
    if (is_suppressed(findings, path, diagnostic)) {
        findings->suppressed++;
        diagnostic_free(diagnostic);
        return;
    }
    struct finding *finding = g_new0(struct finding, 1);
    finding->path = g_strdup(path);
    finding->diagnostic = diagnostic;
    g_ptr_array_add(findings->items, finding);
}

void findings_add(struct findings *findings, enum diagnostic_severity severity, const char *rule,
                  const struct object *object, struct position position, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (position.line == 0)
        position = (struct position){object->line, object->column};
    g_autofree char *description = object_describe(object);
    findings_take(
        findings, object->source->path,
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

void findings_sort(struct findings *findings)
{
    g_ptr_array_sort(findings->items, compare);
}

unsigned findings_count(const struct findings *findings, enum diagnostic_severity severity)
{
    unsigned n = 0;
    for (guint i = 0; i < findings->items->len; i++)
        n += ((const struct finding *)findings->items->pdata[i])->diagnostic->severity == severity;
    return n;
}

void findings_print(const struct findings *findings)
{
    g_autofree char *error = text_styled("error", STYLE_BAD);
    g_autofree char *warning = text_styled("warning", STYLE_WARN);
    for (guint i = 0; i < findings->items->len; i++) {
        const struct finding *finding = findings->items->pdata[i];
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

static void append_member(GString *out, const char *key, const char *text)
{
    if (!text)
        return;
    g_string_append_printf(out, ", \"%s\": ", key);
    json_text_append_string(out, text);
}

void findings_append_json(const struct findings *findings, GString *out)
{
    g_string_append_c(out, '[');
    for (guint i = 0; i < findings->items->len; i++) {
        const struct finding *finding = findings->items->pdata[i];
        const struct diagnostic *diagnostic = finding->diagnostic;
        g_string_append(out, i == 0 ? "\n    {\"file\": " : ",\n    {\"file\": ");
        json_text_append_string(out, finding->path);
        if (diagnostic->line > 0)
            g_string_append_printf(out, ", \"line\": %u, \"column\": %u", diagnostic->line,
                                   diagnostic->column);
        append_member(out, "severity",
                      diagnostic->severity == DIAGNOSTIC_ERROR ? "error" : "warning");
        append_member(out, "object", diagnostic->object);
        append_member(out, "message", diagnostic->message);
        append_member(out, "rule", diagnostic->rule);
        g_string_append_c(out, '}');
    }
    g_string_append(out, findings->items->len > 0 ? "\n  ]" : "]");
}
