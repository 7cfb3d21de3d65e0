/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Selections by labels: the grammar of kubectl's -l, and nothing that only looks like it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/selector.h"
#include "cli/value.h"

static bool matches(const char *text, const char *labels)
{
    const char *wrong = NULL;
    struct selector *selector = selector_parse(text, &wrong);
    yajl_val value = labels ? value_parse(labels) : NULL;

    assert_non_null(selector);
    bool result = selector_matches(selector, value);
    yajl_tree_free(value);
    assert_null(selector_free(selector));
    return result;
}

static void equality(void **state)
{
    const char *labels = "{\"app\":\"web\",\"empty\":\"\",\"example.org/tier\":\"front\"}";

    (void)state;
    assert_true(matches("app=web", labels));
    assert_true(matches("app==web", labels));
    assert_true(matches(" app = web , empty = ", labels));
    assert_true(matches("example.org/tier=front", labels));
    assert_false(matches("app=we", labels));
    assert_false(matches("app=web,example.org/tier=back", labels));
    assert_false(matches("App=web", labels));
    assert_true(matches("app!=db", labels));
    assert_true(matches("other!=db", labels)); /* as kubectl: absent differs */
    assert_false(matches("app!=web", labels));
    assert_false(matches("app=web", NULL));
    assert_true(matches("app!=web", NULL));
}

static void sets(void **state)
{
    const char *labels = "{\"app\":\"web\",\"in\":\"x\",\"notin\":\"\"}";

    (void)state;
    assert_true(matches("app in (db, web)", labels));
    assert_true(matches("app in(web),app notin (db)", labels));
    assert_false(matches("app in (db)", labels));
    assert_true(matches("app notin (db)", labels));
    assert_true(matches("other notin (db)", labels));
    assert_false(matches("app notin (web,db)", labels));
    assert_true(matches("app", labels));
    assert_false(matches("!app", labels));
    assert_true(matches("! other,app", labels));
    assert_false(matches("other", labels));
    assert_true(matches("in in (x)", labels));
    assert_true(matches("in,notin", labels));
    assert_true(matches("notin in ()", labels)); /* one value, which is empty */
}

static void what_is_none(void **state)
{
    static const char *const texts[] = {"",        " ",         ",",       "a,",      "=b",
                                        "a=b,",    "a b",       "a in",    "a in b",  "a in (b",
                                        "a in b)", "!",         "!a=b",    "a=b c=d", "a=(b)",
                                        "a>1",     "a in (b)c", "a=b\x1b", "a!b",     "a=\"b\""};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *wrong = NULL;
        struct selector *selector = selector_parse(texts[i], &wrong);
        if (selector)
            print_error("'%s' is taken\n", texts[i]);
        assert_null(selector);
        assert_non_null(wrong);
        assert_true(wrong >= texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality),
        cmocka_unit_test(sets),
        cmocka_unit_test(what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
