/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON of others: what is nested so deeply that freeing it would exhaust the stack is not parsed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "lib/util/json_tree.h"

/* The text between that many brackets. */
static char *nested(const char *before, unsigned depth, const char *text)
{
    GString *json = g_string_new(before);

    for (unsigned i = 0; i < depth; i++)
        g_string_append(json, i % 2 == 0 ? "[" : "{\"a\":");
    g_string_append(json, text);
    for (unsigned i = depth; i-- > 0;)
        g_string_append_c(json, i % 2 == 0 ? ']' : '}');
    return g_string_free(json, FALSE);
}

static void expect(const char *before, unsigned depth, const char *text, bool good)
{
    g_autofree char *json = nested(before, depth, text);
    yajl_val tree = json_tree_parse(json);

    assert_int_equal(tree != NULL, good);
    yajl_tree_free(tree);
}

static void depth_is_limited(void **state)
{
    (void)state;
    expect("", 0, "1", true);
    expect("", 100, "1", true);
    expect("", 101, "1", false);
    expect("", 2000000, "1", false);
}

static void brackets_in_texts_do_not_count(void **state)
{
    g_autofree char *brackets = g_strnfill(1000, '[');
    g_autofree char *text = g_strdup_printf("\"\\\"%s\"", brackets);
    g_autofree char *end = g_strdup_printf("\"\\\\\",%s", text);

    (void)state;
    expect("", 100, text, true);
    expect("", 1, end, true);
    expect("", 1, "[],{},[[]],{}", true);
}

/* yajl would skip it, and what seems to be a text is none. */
static void a_comment_hides_no_depth(void **state)
{
    (void)state;
    expect("/*\"*/", 2000000, "1", false);
    expect("//\"\n", 2000000, "1", false);
}

static void what_is_no_json(void **state)
{
    static const char *const texts[] = {
        "", "[", "]", "\"", "\"\\", "{\"a\"}", "[1,]", "]]]][[[[", "\"\xe0\x80\xae\""};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        assert_null(json_tree_parse(texts[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(brackets_in_texts_do_not_count),
        cmocka_unit_test(a_comment_hides_no_depth),
        cmocka_unit_test(what_is_no_json),
    };

    return cmocka_run_group_tests_name("json_tree", tests, NULL, NULL);
}
