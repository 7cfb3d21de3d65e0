/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Diagnostics: created where something is found wrong, kept with the file they are about, shown by
 * the log, by `kubesvc check` and by `kubesvc status`. Just a record and its text: the holder
 * decides who sees it, and how often.
 */
#include "diagnostic.h"

#include <stdarg.h>

struct diagnostic *diagnostic_new(enum diagnostic_severity severity, unsigned line, unsigned column,
                                  const char *rule, const char *object, const char *format, ...)
{
    struct diagnostic *diagnostic = g_new0(struct diagnostic, 1);
    va_list arguments;

    diagnostic->severity = severity;
    diagnostic->line = line;
    diagnostic->column = column;
    diagnostic->rule = rule;
    diagnostic->object = g_strdup(object);
    va_start(arguments, format);
    diagnostic->message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return diagnostic;
}

void diagnostic_free(struct diagnostic *diagnostic)
{
    if (!diagnostic)
        return;
    g_free(diagnostic->path);
    g_free(diagnostic->object);
    g_free(diagnostic->message);
    g_free(diagnostic);
}

char *diagnostic_format(const struct diagnostic *diagnostic, const char *path)
{
    GString *text = g_string_new(diagnostic->path ? diagnostic->path : path);

    if (diagnostic->line > 0)
        g_string_append_printf(text, ":%u", diagnostic->line);
    if (diagnostic->line > 0 && diagnostic->column > 0)
        g_string_append_printf(text, ":%u", diagnostic->column);
    g_string_append(text, diagnostic->severity == DIAGNOSTIC_ERROR ? ": error: " : ": warning: ");
    if (diagnostic->object)
        g_string_append_printf(text, "%s: ", diagnostic->object);
    g_string_append(text, diagnostic->message);
    if (diagnostic->rule)
        g_string_append_printf(text, " [%s]", diagnostic->rule);
    return g_string_free(text, FALSE);
}

gboolean diagnostic_equal(const struct diagnostic *a, const struct diagnostic *b)
{
    return a->severity == b->severity && a->line == b->line && a->column == b->column &&
           g_strcmp0(a->path, b->path) == 0 && g_strcmp0(a->rule, b->rule) == 0 &&
           g_strcmp0(a->object, b->object) == 0 && g_strcmp0(a->message, b->message) == 0;
}
