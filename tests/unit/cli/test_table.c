/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables: their columns, their order, and what a terminal of few columns gets. Standard output is a
 * file or a terminal of ours while a table is printed.
 */
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/table.h"
#include "cli/text.h"

/* What `print` writes to standard output: a file, or a terminal of `columns`. */
static char *printed(void (*print)(void), unsigned short columns)
{
    struct winsize size = {.ws_row = 24, .ws_col = columns};
    int ours = -1, theirs, before = dup(STDOUT_FILENO);
    char *text = g_malloc0(4096);
    size_t length = 0;

    fflush(stdout);
    if (columns > 0)
        assert_int_equal(openpty(&ours, &theirs, NULL, NULL, &size), 0);
    else
        theirs = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    assert_true(before >= 0 && theirs >= 0);
    dup2(theirs, STDOUT_FILENO);
    print();
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    if (columns > 0)
        close(theirs);
    else
        lseek(ours = theirs, 0, SEEK_SET);
    for (ssize_t n; length < 4095 && (n = read(ours, text + length, 4095 - length)) > 0;)
        length += (size_t)n;
    close(ours);
    return text;
}

static struct table *sample(void)
{
    struct table *table = table_new("NAME|ADDRESS|NOTE");
    table_row(table, g_strdup("web-10"), g_strdup("10.0.0.10"), NULL);
    table_row(table, g_strdup("web-2"), g_strdup("10.0.0.2"), g_strdup("a\x1b[31mb"));
    return table;
}

static void print_sample(void)
{
    struct table *table = sample();
    assert_int_equal(table_size(table), 2);
    table_sort(table);
    table_print(table, true);
}

static void print_bare(void)
{
    table_print(sample(), false);
}

static void print_in_parts(void)
{
    struct table *table = sample();
    char *narrow[] = {(char[]){"a"}, (char[]){"b"}, (char[]){"c"}};
    table_flush(table, true);
    assert_int_equal(table_size(table), 0);
    table_row_array(table, narrow);
    table_flush(table, false);
    table_free(table);
}

static void print_wide_characters(void)
{
    struct table *table = table_new("A|B");
    table_row(table, g_strdup("漢字漢字漢字"), g_strdup("x"));
    table_row(table, g_strdup("abc"), g_strdup("y"));
    table_print(table, true);
}

static void whole(void **state)
{
    g_autofree char *text = printed(print_sample, 0), *bare = printed(print_bare, 0);

    (void)state;
    assert_string_equal(text, "NAME     ADDRESS     NOTE\n"
                              "web-2    10.0.0.2    a\\x1b[31mb\n"
                              "web-10   10.0.0.10   <none>\n");
    assert_string_equal(bare, "web-10   10.0.0.10   <none>\n"
                              "web-2    10.0.0.2    a\\x1b[31mb\n");
}

static void later_rows_keep_the_widths(void **state)
{
    g_autofree char *text = printed(print_in_parts, 0);

    (void)state;
    assert_non_null(strstr(text, "\na        b           c\n"));
}

/* How often each byte occurs, blanks and ends of lines aside. */
static void count_bytes(const char *text, unsigned counts[static 256])
{
    memset(counts, 0, sizeof *counts * 256);
    for (; *text; text++)
        counts[(unsigned char)*text] += !strchr(" \r\n", *text);
}

/* Cells go on in further lines, and nothing is lost. */
static void narrow_terminals(void **state)
{
    g_autofree char *wide = printed(print_sample, 80);
    unsigned whole_counts[256], counts[256];

    (void)state;
    count_bytes(wide, whole_counts);
    for (unsigned short columns = 10; columns < 40; columns++) {
        g_autofree char *text = printed(print_sample, columns);
        g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
        for (char **line = lines; *line; line++)
            assert_true(text_width(*line) <= columns);
        assert_int_equal(g_strv_length(lines) == 4, columns >= 27); /* gaps give way first */
        count_bytes(text, counts);
        assert_memory_equal(counts, whole_counts, sizeof counts);
    }
}

static void print_names(void)
{
    struct table *table = table_new("NAME|NOTE");
    table_row(table, g_strdup("web.moon.svc.cluster.local"), g_strdup("one two three, four"));
    table_print(table, true);
}

/* Other columns give way before names do, and words are kept together. */
static void names_stay_whole(void **state)
{
    g_autofree char *text = printed(print_names, 34);

    (void)state;
    assert_non_null(strstr(text, "web.moon.svc.cluster.local one two\r\n"));
    assert_non_null(strstr(text, "\r\n                           three,\r\n"));
    assert_non_null(strstr(text, "\r\n                           four\r\n"));
}

static void wide_characters(void **state)
{
    (void)state;
    for (unsigned short columns = 6; columns < 20; columns++) {
        g_autofree char *text = printed(print_wide_characters, columns);
        g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
        for (char **line = lines; *line; line++)
            assert_true(text_width(*line) <= columns);
        const char *y = strstr(text, "y\r\n"), *x = strstr(text, "x\r\n");
        assert_true(g_str_has_suffix(lines[1], "x"));
        while (y[-1] != '\n')
            y--;
        while (x[-1] != '\n')
            x--;
        g_autofree char *above = g_strndup(x, strcspn(x, "\r"));
        g_autofree char *below = g_strndup(y, strcspn(y, "\r"));
        assert_int_equal(text_width(above), text_width(below)); /* x stands above y */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(later_rows_keep_the_widths),
        cmocka_unit_test(narrow_terminals),
        cmocka_unit_test(names_stay_whole),
        cmocka_unit_test(wide_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
