/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Line by line: is it the beginning of a document, something, or only a comment?
 */
#include "suppression.h"

#include <string.h>

#define MARK "# kubesvc-ignore:"
#define LINE_MAX_KEPT 4096u
#define ITEMS_MAX 10000u
#define OPEN UINT_MAX /* to the end of the document */
#define NEXT 0u       /* to the next line that is not a comment */

static void clear_item(gpointer item)
{
    g_free(((struct suppression *)item)->rule);
}

struct suppressions *suppressions_new(void)
{
    struct suppressions *suppressions = g_new0(struct suppressions, 1);
    suppressions->items = g_array_new(FALSE, FALSE, sizeof(struct suppression));
    g_array_set_clear_func(suppressions->items, clear_item);
    suppressions->text = g_string_new(NULL);
    suppressions->line = 1;
    return suppressions;
}

struct suppressions *suppressions_free(struct suppressions *suppressions)
{
    if (!suppressions)
        return NULL;
    g_array_unref(suppressions->items);
    g_string_free(suppressions->text, TRUE);
    g_free(suppressions);
    return NULL;
}

/* Those of the document at hand that reach to what is now found end in this line. */
static void end_items(struct suppressions *suppressions, unsigned reach, unsigned line)
{
    for (guint i = suppressions->document; i < suppressions->items->len; i++) {
        struct suppression *item = &g_array_index(suppressions->items, struct suppression, i);
        if (item->to == reach)
            item->to = line;
    }
}

static void add_rules(struct suppressions *suppressions, const char *words, unsigned to)
{
    g_auto(GStrv) rules = g_strsplit_set(words, ", \t\r", -1);
    for (char **rule = rules; *rule && suppressions->items->len < ITEMS_MAX; rule++) {
        struct suppression item = {.from = suppressions->line, .to = to};
        if (**rule == '\0')
            continue;
        item.rule = g_strdup(*rule);
        g_array_append_val(suppressions->items, item);
    }
}

static void begin_document(struct suppressions *suppressions)
{
    end_items(suppressions, NEXT, suppressions->line);
    end_items(suppressions, OPEN, suppressions->line - 1);
    suppressions->document = suppressions->items->len;
    suppressions->begun = false;
}

static void take_line(struct suppressions *suppressions)
{
    const char *line = suppressions->text->str, *mark = strstr(line, MARK);
    const char *first = line + strspn(line, " \t\r");
    bool boundary = strncmp(line, "---", 3) == 0 || strncmp(line, "...", 3) == 0;
    bool empty = *first == '\0' || *first == '#';
    if (mark && mark > line && !strchr(" \t", mark[-1]))
        mark = NULL;
    if (boundary) {
        begin_document(suppressions);
        empty = true;
    }
    if (mark)
        add_rules(suppressions, mark + strlen(MARK),
                  !empty                ? suppressions->line
                  : suppressions->begun ? NEXT
                                        : OPEN);
    if (!empty) {
        end_items(suppressions, NEXT, suppressions->line);
        suppressions->begun = true;
    }
}

void suppressions_read(struct suppressions *suppressions, const char *bytes, size_t size)
{
    GString *text = suppressions->text;
    if (size == 0)
        take_line(suppressions);
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t length = end ? (size_t)(end - bytes) : size;
        g_string_append_len(text, bytes, (gssize)MIN(length, LINE_MAX_KEPT - text->len));
        if (!end)
            return;
        take_line(suppressions);
        g_string_truncate(text, 0);
        suppressions->line++;
        bytes = end + 1;
        size -= length + 1;
    }
}

bool suppressions_cover(const struct suppressions *suppressions, const char *rule, unsigned line)
{
    for (guint i = 0; i < suppressions->items->len; i++) {
        const struct suppression *item = &g_array_index(suppressions->items, struct suppression, i);
        if (line >= item->from && line <= item->to && strcmp(item->rule, rule) == 0)
            return true;
    }
    return false;
}
