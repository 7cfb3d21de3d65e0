/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing JSON. yajl's generator would let DEL, C1 controls and characters that turn the direction
 * of writing through; here they are escaped, which is the same JSON.
 */
#include "json_text.h"

#include <string.h>

#include "lib/util/escape.h"

#define ON_ONE_LINE G_MAXUINT

static void append_unit(GString *out, gunichar unit)
{
    g_string_append_printf(out, "\\u%04x", unit);
}

static void append_character(GString *out, gunichar c)
{
    if (c == '"' || c == '\\') {
        g_string_append_c(out, '\\');
        g_string_append_c(out, (char)c);
    } else if (c == '\n') {
        g_string_append(out, "\\n");
    } else if (c == '\t') {
        g_string_append(out, "\\t");
    } else if (!escape_is_harmful(c)) {
        g_string_append_unichar(out, c);
    } else if (c < 0x10000) {
        append_unit(out, c);
    } else {
        append_unit(out, 0xd800 + ((c - 0x10000) >> 10));
        append_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
}

void json_text_append_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *at = text; *at;) {
        gunichar c = g_utf8_get_char_validated(at, -1);
        bool broken = c == (gunichar)-1 || c == (gunichar)-2;
        append_character(out, broken ? 0xfffd : c);
        at = broken ? at + 1 : g_utf8_next_char(at);
    }
    g_string_append_c(out, '"');
}

static void start_line(GString *out, unsigned indent)
{
    if (indent == ON_ONE_LINE)
        return;
    g_string_append_c(out, '\n');
    for (unsigned i = 0; i < indent; i++)
        g_string_append(out, "    ");
}

static void append_value(GString *out, yajl_val value, unsigned indent);

static void append_members(GString *out, yajl_val value, size_t n, unsigned indent)
{
    bool object = YAJL_IS_OBJECT(value);
    unsigned inner = indent == ON_ONE_LINE ? indent : indent + 1;
    g_string_append_c(out, object ? '{' : '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        start_line(out, inner);
        if (object) {
            json_text_append_string(out, value->u.object.keys[i]);
            g_string_append(out, indent == ON_ONE_LINE ? ":" : ": ");
        }
        append_value(out, object ? value->u.object.values[i] : value->u.array.values[i], inner);
    }
    if (n > 0)
        start_line(out, indent);
    g_string_append_c(out, object ? '}' : ']');
}

static void append_value(GString *out, yajl_val value, unsigned indent)
{
    if (YAJL_IS_OBJECT(value))
        append_members(out, value, value->u.object.len, indent);
    else if (YAJL_IS_ARRAY(value))
        append_members(out, value, value->u.array.len, indent);
    else if (YAJL_IS_STRING(value))
        json_text_append_string(out, YAJL_GET_STRING(value));
    else if (YAJL_IS_NUMBER(value))
        g_string_append(out, YAJL_GET_NUMBER(value));
    else
        g_string_append(out, YAJL_IS_TRUE(value)    ? "true"
                             : YAJL_IS_FALSE(value) ? "false"
                                                    : "null");
}

void json_text_append(GString *out, yajl_val value, unsigned indent)
{
    append_value(out, value, indent);
}

void json_text_append_line(GString *out, yajl_val value)
{
    append_value(out, value, ON_ONE_LINE);
}
