/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command line: which option takes what, and where arguments belong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <getopt.h>

#include "lib/util/command_line.h"

struct values {
    const char *text;
    bool flag;
    GPtrArray *list;
};

static int read_words(struct values *values, bool with_arguments, const char *words)
{
    g_autofree char *all = g_strconcat("program ", words, NULL);
    char **argv = g_strsplit(all, " ", 0);
    const struct command_line_option options[] = {
        {.name = "text", .text = &values->text},
        {.name = "list", .list = values->list},
        {.name = "flag", .flag = &values->flag},
        {0},
    };
    const struct command_line line = {"program", "the help\n", options,
                                      with_arguments ? values->list : NULL};

    optind = 0; /* starts anew */
    values->text = NULL;
    values->flag = false;
    g_ptr_array_set_size(values->list, 0);
    int r = command_line_read(&line, (int)g_strv_length(argv), argv);

    for (guint i = 0; i < values->list->len; i++)
        values->list->pdata[i] = (void *)g_intern_string(values->list->pdata[i]);
    values->text = values->text ? g_intern_string(values->text) : NULL;
    g_strfreev(argv);
    return r;
}

static void assert_list(const struct values *values, const char *expected)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (guint i = 0; i < values->list->len; i++)
        g_string_append_printf(list, "%s ", (const char *)values->list->pdata[i]);
    assert_string_equal(list->str, expected);
}

static void test_values(void **state)
{
    struct values values = {.list = *state};

    assert_int_equal(read_words(&values, false, "--text a --list 1 --text=b --list=2 --flag"), 0);
    assert_string_equal(values.text, "b");
    assert_list(&values, "1 2 ");
    assert_true(values.flag);
    assert_int_equal(read_words(&values, false, "--li 1"), 0);
    assert_list(&values, "1 ");
    assert_false(values.flag);
}

static void test_arguments(void **state)
{
    struct values values = {.list = *state};

    assert_int_equal(read_words(&values, true, "--list 1 2 --flag 3 -- --4"), 0);
    assert_list(&values, "1 2 3 --4 ");
    assert_int_equal(read_words(&values, true, "-- 1"), 0);
    assert_list(&values, "1 ");
    assert_int_equal(read_words(&values, true, "1 --list 2"), COMMAND_LINE_WRONG);
    assert_int_equal(read_words(&values, false, "--list 1 2"), COMMAND_LINE_WRONG);
    assert_int_equal(read_words(&values, false, "-- 1"), COMMAND_LINE_WRONG);
}

static void test_what_ends_it(void **state)
{
    struct values values = {.list = *state};

    assert_int_equal(read_words(&values, false, "--help --nonsense"), COMMAND_LINE_DONE);
    assert_int_equal(read_words(&values, false, "--flag --version"), COMMAND_LINE_DONE);
    assert_int_equal(read_words(&values, false, "--nonsense"), COMMAND_LINE_WRONG);
    assert_int_equal(read_words(&values, false, "--flag=1"), COMMAND_LINE_WRONG);
    assert_int_equal(read_words(&values, false, "--text"), COMMAND_LINE_WRONG);
}

static int setup(void **state)
{
    *state = g_ptr_array_new();
    return 0;
}

static int teardown(void **state)
{
    g_ptr_array_unref(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_what_ends_it),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
