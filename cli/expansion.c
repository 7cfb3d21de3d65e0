/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From left to right, and once: $$(NAME) is $(NAME) in the end, and a $( without its ) is kept.
 */
#include "expansion.h"

#include <glib.h>
#include <string.h>

char *expansion_expand(const char *text, expansion_find find, void *userdata)
{
    GString *out = g_string_new(NULL);
    for (const char *dollar; (dollar = strchr(text, '$'));) {
        const char *end = dollar[1] == '(' ? strchr(dollar, ')') : NULL;
        g_string_append_len(out, text, dollar - text);
        if (end) {
            g_autofree char *name = g_strndup(dollar + 2, (gsize)(end - dollar - 2));
            const char *value = find(userdata, name);
            if (value)
                g_string_append(out, value);
            else
                g_string_append_len(out, dollar, end + 1 - dollar);
            text = end + 1;
            continue;
        }
        g_string_append_c(out, '$');
        text = dollar + 1;
        if (*text == '$') {
            text++;
        } else if (*text) { /* it is kept, whatever it is: "$(" too */
            g_string_append_c(out, *text++);
        }
    }
    g_string_append(out, text);
    return g_string_free(out, FALSE);
}
