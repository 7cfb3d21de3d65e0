/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table. Rows are kept until the end, because widths depend on all of them; 160,000 of them are
 * fine.
 */
#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define GAP 3u
#define NARROWEST 2u /* what a column gives way to in the end: a wide character */
#define NARROW 6u    /* what columns give way to before those of names do */

struct table {
    char **headings;
    unsigned columns;
    GPtrArray *rows;  /* char **, NULL-terminated */
    unsigned *widths; /* of what was printed */
};

struct table *table_new(const char *headings)
{
    struct table *table = g_new0(struct table, 1);
    table->headings = g_strsplit(headings, "|", -1);
    table->columns = g_strv_length(table->headings);
    table->widths = g_new0(unsigned, table->columns);
    table->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    return table;
}

void table_free(struct table *table)
{
    g_ptr_array_unref(table->rows);
    g_strfreev(table->headings);
    g_free(table->widths);
    g_free(table);
}

void table_row_array(struct table *table, char *const *cells)
{
    char **row = g_new0(char *, table->columns + 1);
    for (unsigned i = 0; i < table->columns; i++)
        row[i] = text_clean(cells[i]);
    g_ptr_array_add(table->rows, row);
}

void table_row(struct table *table, char *first, ...)
{
    g_autofree char **cells = g_new0(char *, table->columns);
    va_list arguments;
    va_start(arguments, first);
    for (unsigned i = 0; i < table->columns; i++)
        cells[i] = i == 0 ? first : va_arg(arguments, char *);
    va_end(arguments);
    table_row_array(table, cells);
    for (unsigned i = 0; i < table->columns; i++)
        g_free(cells[i]);
}

static int compare_rows(gconstpointer a, gconstpointer b)
{
    char **x = *(char **const *)a, **y = *(char **const *)b;
    for (unsigned i = 0; x[i] && y[i]; i++) {
        int order = text_compare(x[i], y[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

void table_sort(struct table *table)
{
    g_ptr_array_sort(table->rows, compare_rows);
}

unsigned table_size(const struct table *table)
{
    return table->rows->len;
}

static void measure(struct table *table, bool headings)
{
    for (unsigned i = 0; headings && i < table->columns; i++)
        table->widths[i] = MAX(table->widths[i], text_width(table->headings[i]));
    for (guint r = 0; r < table->rows->len; r++) {
        char **row = table->rows->pdata[r];
        for (unsigned i = 0; i < table->columns; i++)
            table->widths[i] = MAX(table->widths[i], text_width(row[i]));
    }
}

static unsigned line_width(const unsigned *widths, unsigned n, unsigned gap)
{
    unsigned total = gap * (n - 1);
    for (unsigned i = 0; i < n; i++)
        total += widths[i];
    return total;
}

static bool is_name(const char *heading)
{
    return strcmp(heading, "NAME") == 0 || strcmp(heading, "NAMESPACE") == 0;
}

/* Narrows the widest columns until all fit or none is wider than `least`. */
static void narrow(const struct table *table, unsigned *widths, unsigned gap, unsigned columns,
                   unsigned least, bool names)
{
    unsigned n = table->columns;
    for (unsigned excess = line_width(widths, n, gap); excess > columns; excess--) {
        unsigned widest = n;
        for (unsigned i = 0; i < n; i++)
            if ((names || !is_name(table->headings[i])) &&
                (widest == n || widths[i] > widths[widest]))
                widest = i;
        if (widest == n || widths[widest] <= least)
            break;
        widths[widest]--;
    }
}

/* The gaps give way first, then the widest columns, and names last. */
static unsigned fit(const struct table *table, unsigned *widths, unsigned columns)
{
    unsigned gap = GAP;
    while (gap > 1 && line_width(widths, table->columns, gap) > columns)
        gap--;
    narrow(table, widths, gap, columns, NARROW, false);
    narrow(table, widths, gap, columns, NARROWEST, true);
    return gap;
}

/* Where to break the line that begins with `text`: after a separator if that is not too early, else
 * wherever the room ends. */
static const char *line_end(const char *text, unsigned width)
{
    const char *part = NULL;
    unsigned shown = 0;
    for (const char *next; *text; text = next) {
        gunichar c = g_utf8_get_char(text);
        shown += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
        if (shown > width)
            return part && *text != ' ' ? part : text;
        next = g_utf8_next_char(text);
        if (strchr(" ,;/.-=:", *text) && shown * 2 > width)
            part = next;
    }
    return text;
}

/* One line of a cell; where the next one begins. */
static const char *append_cell(GString *line, const char *text, unsigned width)
{
    const char *end = line_end(text, width);
    g_autofree char *piece = g_strndup(text, (gsize)(end - text));
    g_string_append(line, piece);
    for (unsigned i = text_width(piece); i < width; i++)
        g_string_append_c(line, ' ');
    while (*end == ' ' && end > text)
        end++;
    return end;
}

static bool print_line(const char **cells, const unsigned *widths, unsigned n, unsigned gap)
{
    g_autoptr(GString) line = g_string_new(NULL);
    bool more = false;
    for (unsigned i = 0; i < n; i++) {
        cells[i] = append_cell(line, cells[i], widths[i]);
        more |= *cells[i] != '\0';
        for (unsigned j = 0; i + 1 < n && j < gap; j++)
            g_string_append_c(line, ' ');
    }
    while (line->len > 0 && line->str[line->len - 1] == ' ')
        g_string_truncate(line, line->len - 1);
    puts(line->str);
    return more;
}

static void print_row(char **cells, const unsigned *widths, unsigned n, unsigned gap)
{
    g_autofree const char **left = g_memdup2(cells, sizeof *cells * n);
    while (print_line(left, widths, n, gap))
        ;
}

void table_flush(struct table *table, bool headings)
{
    measure(table, headings);
    g_autofree unsigned *widths = g_memdup2(table->widths, sizeof *table->widths * table->columns);
    unsigned columns = text_columns();
    unsigned gap = columns > 0 ? fit(table, widths, columns) : GAP;
    if (headings)
        print_row(table->headings, widths, table->columns, gap);
    for (guint i = 0; i < table->rows->len; i++)
        print_row(table->rows->pdata[i], widths, table->columns, gap);
    g_ptr_array_set_size(table->rows, 0);
}

void table_print(struct table *table, bool headings)
{
    table_flush(table, headings);
    table_free(table);
}
