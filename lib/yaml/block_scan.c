/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scalars of one line, without escapes, of which none can be taken for anything else in YAML.
 */
#include "block_scan.h"

#include <glib.h>
#include <string.h>

static bool is_word(char c)
{
    return g_ascii_isalnum(c) || c == '_' || c == '/';
}

static bool scan_quoted(struct block_cursor *cursor, struct block_event *event)
{
    char quote = *cursor->at++;
    const char *text = cursor->at, *end = text;

    for (; *end != quote; end++) {
        if (*end == '\n' || (*end == '\\' && quote == '"'))
            return false;
    }
    if (quote == '\'' && end[1] == quote)
        return false;
    event->text = text;
    event->length = (uint32_t)(end - text);
    cursor->at = end + 1;
    return true;
}

/* What begins with another character may be something else than a plain scalar; a dash or a point
 * at the start of a line, a separator. */
static bool begins_plain(const struct block_cursor *cursor)
{
    const char *at = cursor->at;

    if (is_word(*at))
        return true;
    if (at == cursor->line)
        return false;
    return strchr(".~+$(", *at) || (*at == '-' && !block_is_blank(at[1]));
}

static bool scan_plain(struct block_cursor *cursor, struct block_event *event)
{
    const char *text = cursor->at, *end = text;

    if (!begins_plain(cursor))
        return false;
    while (*end != '\n' && !(*end == ':' && block_is_blank(end[1])) &&
           !(*end == '#' && end[-1] == ' '))
        end++;
    while (end[-1] == ' ')
        end--;
    event->text = text;
    event->length = (uint32_t)(end - text);
    event->plain = true;
    cursor->at = end;
    return true;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

bool block_scan(struct block_cursor *cursor, struct block_event *event)
{
    *event = (struct block_event){.type = EVENT_SCALAR, .position = block_position(cursor)};
    return is_quote(*cursor->at) ? scan_quoted(cursor, event) : scan_plain(cursor, event);
}

bool block_scan_flow(struct block_cursor *cursor, struct block_event *event)
{
    const char *end = cursor->at;

    *event = (struct block_event){.type = EVENT_SCALAR, .position = block_position(cursor)};
    if (is_quote(*end))
        return scan_quoted(cursor, event);
    if (!is_word(*end))
        return false;
    while (is_word(*end) || *end == '.' || *end == '-')
        end++;
    event->text = cursor->at;
    event->length = (uint32_t)(end - cursor->at);
    event->plain = true;
    cursor->at = end;
    return true;
}
