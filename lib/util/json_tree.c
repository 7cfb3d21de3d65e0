/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * yajl limits no nesting, and frees a tree by recursion: a few hundred kilobytes of brackets would
 * exhaust the stack. And it takes bytes for UTF-8 that others, such as libyaml's emitter, do not.
 */
#include "json_tree.h"

#include <glib.h>
#include <stdbool.h>

#define DEPTH_MAX 100u /* yajl's generator writes up to 127 */

/* yajl skips comments, and a quote in one begins no text: JSON has no slash there. */
static bool is_shallow(const char *text)
{
    unsigned depth = 0;
    bool quoted = false;

    for (; *text; text++) {
        if (quoted) {
            quoted = *text != '"';
            text += *text == '\\' && text[1] != '\0';
        } else if (*text == '"') {
            quoted = true;
        } else if (*text == '[' || *text == '{') {
            if (depth++ == DEPTH_MAX)
                return false;
        } else if (*text == ']' || *text == '}') {
            depth -= depth > 0;
        } else if (*text == '/') {
            return false;
        }
    }
    return true;
}

yajl_val json_tree_parse(const char *text)
{
    char error[128];

    if (!g_utf8_validate(text, -1, NULL) || !is_shallow(text))
        return NULL;
    return yajl_tree_parse(text, error, sizeof error);
}
