/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One column of labels. Values are never cut: a terminal wraps them, and a copied one is complete.
 */
#include "print_fields.h"

#include <stdarg.h>
#include <stdio.h>

#define LABEL_WIDTH 15

void field_styled(const char *label, const char *value, enum text_style style)
{
    g_autofree char *clean = text_clean(value), *styled = text_styled(clean, style);
    g_autofree char *head = *label ? g_strdup_printf("%s:", label) : g_strdup("");
    printf("%-*s %s\n", LABEL_WIDTH, head, styled);
}

void field(const char *label, const char *value)
{
    field_styled(label, value, STYLE_PLAIN);
}

void field_format(const char *label, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *value = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    field(label, value);
}

void field_section(const char *title)
{
    g_autofree char *styled = text_styled(title, STYLE_BOLD);
    printf("\n%s\n", styled);
}
