/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Escaping works on characters, since a byte alone is ambiguous: 0x9b is harmless within a
 * character but starts a control sequence on its own.
 */
#include "escape.h"

#define ESCAPED_SIZE 4u /* \xNN */

bool escape_is_harmful(gunichar c)
{
    return g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT || c == 0x2028 ||
           c == 0x2029;
}

void escape_append(GString *out, const char *text, size_t size_max)
{
    while (*text) {
        gunichar c = g_utf8_get_char_validated(text, -1);
        bool broken = c == (gunichar)-1 || c == (gunichar)-2;
        bool harmful = broken || escape_is_harmful(c);
        const char *end = broken ? text + 1 : g_utf8_next_char(text);
        size_t size = (size_t)(end - text) * (harmful ? ESCAPED_SIZE : 1);

        if (out->len > size_max || size > size_max - out->len)
            return;
        if (!harmful)
            g_string_append_len(out, text, end - text);
        for (; harmful && text < end; text++)
            g_string_append_printf(out, "\\x%02x", (unsigned char)*text);
        text = end;
    }
}
