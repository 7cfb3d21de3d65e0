/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Distances between words, and the word that was meant.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "lib/util/suggest.h"

static void distances(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned distance;
    } cases[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"selector", "selector", 0},
        {"clusterip", "clusterIP", 0},
        {"selectors", "selector", 1},
        {"selecter", "selector", 1},
        {"sleector", "selector", 1}, /* two neighbours swapped */
        {"slector", "selector", 1},
        {"serviceNmae", "serviceName", 1},
        {"kitten", "sitting", 3},
        {"ca", "abc", 3}, /* no piece is edited twice */
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(suggest_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(suggest_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
}

static void long_texts(void **state)
{
    g_autofree char *longest = g_strnfill(SUGGEST_LENGTH_MAX, 'a');
    g_autofree char *longer = g_strnfill(SUGGEST_LENGTH_MAX + 1, 'a');
    (void)state;
    assert_int_equal(suggest_distance(longest, longest), 0);
    assert_int_equal(suggest_distance(longest, ""), SUGGEST_LENGTH_MAX);
    assert_int_equal(suggest_distance("", longest), SUGGEST_LENGTH_MAX);
    assert_int_equal(suggest_distance(longest, longer), UINT_MAX);
    assert_int_equal(suggest_distance(longer, longer), UINT_MAX);
}

static void words(void **state)
{
    static const char *const fields[] = {"port", "ports", "protocol", "name", NULL};
    (void)state;
    assert_string_equal(suggest_word("Port", fields, 0), "port");
    assert_string_equal(suggest_word("portss", fields, 2), "ports");
    assert_string_equal(suggest_word("porta", fields, 1), "port"); /* the first of two */
    assert_null(suggest_word("protocl", fields, 0));
    assert_string_equal(suggest_word("protocl", fields, 1), "protocol");
    assert_null(suggest_word("nothing", fields, 2));
    assert_null(suggest_word("port", (const char *const[]){NULL}, 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
