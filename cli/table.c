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
#define NARROWEST 2u /* a column gives way down to this: a character and the sign of more */

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

/* The gaps give way first, then the widest columns. */
static unsigned fit(unsigned *widths, unsigned n, unsigned columns)
{
    unsigned gap = GAP;
    while (gap > 1 && line_width(widths, n, gap) > columns)
        gap--;
    for (unsigned excess = line_width(widths, n, gap); excess > columns; excess--) {
        unsigned widest = 0;
        for (unsigned i = 1; i < n; i++)
            if (widths[i] > widths[widest])
                widest = i;
        if (widths[widest] <= NARROWEST)
            break;
        widths[widest]--;
    }
    return gap;
}

static const char *cut(const char *text, unsigned width)
{
    for (unsigned shown = 0; *text; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        shown += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
        if (shown > width)
            return text;
    }
    return text;
}

static void append_cell(GString *line, const char *text, unsigned width)
{
    unsigned shown = text_width(text);
    if (shown <= width) {
        g_string_append(line, text);
    } else {
        gsize before = line->len;
        g_string_append_len(line, text, cut(text, width - 1) - text);
        shown = text_width(line->str + before) + 1;
        g_string_append(line, "\u2026");
    }
    for (unsigned i = shown; i < width; i++)
        g_string_append_c(line, ' ');
}

static void print_row(char **cells, const unsigned *widths, unsigned n, unsigned gap)
{
    g_autoptr(GString) line = g_string_new(NULL);
    for (unsigned i = 0; i < n; i++) {
        append_cell(line, cells[i], widths[i]);
        for (unsigned j = 0; i + 1 < n && j < gap; j++)
            g_string_append_c(line, ' ');
    }
    while (line->len > 0 && line->str[line->len - 1] == ' ')
        g_string_truncate(line, line->len - 1);
    puts(line->str);
}

void table_flush(struct table *table, bool headings)
{
    measure(table, headings);
    g_autofree unsigned *widths = g_memdup2(table->widths, sizeof *table->widths * table->columns);
    unsigned columns = text_columns();
    unsigned gap = columns > 0 ? fit(widths, table->columns, columns) : GAP;
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
