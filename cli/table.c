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
#define NARROWEST 8u /* a column gives way down to this */

struct table {
    char **headings;
    unsigned columns;
    GPtrArray *rows; /* char **, NULL-terminated */
};

struct table *table_new(const char *headings)
{
    struct table *table = g_new0(struct table, 1);
    table->headings = g_strsplit(headings, "|", -1);
    table->columns = g_strv_length(table->headings);
    table->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    return table;
}

void table_row_array(struct table *table, char **cells)
{
    char **row = g_new0(char *, table->columns + 1);
    for (unsigned i = 0; i < table->columns; i++) {
        row[i] = text_clean(cells[i]);
        g_free(cells[i]);
    }
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
}

static int compare_cells(const char *a, const char *b)
{
    while (*a && *b) {
        if (g_ascii_isdigit(*a) && g_ascii_isdigit(*b)) {
            char *a_end, *b_end;
            guint64 x = g_ascii_strtoull(a, &a_end, 10), y = g_ascii_strtoull(b, &b_end, 10);
            if (x != y)
                return x < y ? -1 : 1;
            a = a_end;
            b = b_end;
            continue;
        }
        if (*a != *b)
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        a++;
        b++;
    }
    return (*a != '\0') - (*b != '\0');
}

static int compare_rows(gconstpointer a, gconstpointer b)
{
    char **x = *(char **const *)a, **y = *(char **const *)b;
    for (unsigned i = 0; x[i] && y[i]; i++) {
        int order = compare_cells(x[i], y[i]);
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

static void measure(const struct table *table, bool headings, unsigned *widths)
{
    for (unsigned i = 0; i < table->columns; i++)
        widths[i] = headings ? text_width(table->headings[i]) : 0;
    for (guint r = 0; r < table->rows->len; r++) {
        char **row = table->rows->pdata[r];
        for (unsigned i = 0; i < table->columns; i++)
            widths[i] = MAX(widths[i], text_width(row[i]));
    }
}

/* Takes from the widest column until the table fits or all are narrow. */
static void fit(const struct table *table, unsigned *widths, unsigned columns)
{
    unsigned total = GAP * (table->columns - 1);
    for (unsigned i = 0; i < table->columns; i++)
        total += widths[i];
    while (total > columns) {
        unsigned widest = 0;
        for (unsigned i = 1; i < table->columns; i++)
            if (widths[i] > widths[widest])
                widest = i;
        if (widths[widest] <= NARROWEST)
            return;
        widths[widest]--;
        total--;
    }
}

static void append_cell(GString *line, const char *text, unsigned width, bool last)
{
    unsigned shown = text_width(text);
    if (shown > width) {
        g_autofree char *head =
            g_utf8_substring(text, 0, MIN((glong)width - 1, g_utf8_strlen(text, -1)));
        g_string_append_printf(line, "%s\u2026", head);
        shown = text_width(head) + 1;
    } else {
        g_string_append(line, text);
    }
    for (unsigned i = shown; !last && i < width + GAP; i++)
        g_string_append_c(line, ' ');
}

static void print_row(const struct table *table, char **cells, const unsigned *widths)
{
    g_autoptr(GString) line = g_string_new(NULL);
    for (unsigned i = 0; i < table->columns; i++)
        append_cell(line, cells[i], widths[i], i + 1 == table->columns);
    puts(line->str);
}

void table_print(struct table *table, bool headings)
{
    g_autofree unsigned *widths = g_new0(unsigned, table->columns);
    measure(table, headings, widths);
    unsigned columns = text_columns();
    if (columns > 0)
        fit(table, widths, columns);
    if (headings)
        print_row(table, table->headings, widths);
    for (guint i = 0; i < table->rows->len; i++)
        print_row(table, table->rows->pdata[i], widths);
    g_ptr_array_unref(table->rows);
    g_strfreev(table->headings);
    g_free(table);
}
