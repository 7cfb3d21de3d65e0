/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Labels: equal sets are one set, whatever the order and the repetitions they were written in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/model/labels.h"

static void sets_are_shared(void **state)
{
    const struct label ab[] = {{"a", "1"}, {"b", "2"}}, ba[] = {{"b", "2"}, {"a", "1"}};
    const struct label other[] = {{"a", "1"}, {"b", "3"}};
    const struct labels *x = labels_new(ab, 2), *y = labels_new(ba, 2), *z = labels_new(other, 2);

    (void)state;
    assert_ptr_equal(x, y);
    assert_ptr_not_equal(x, z);
    assert_string_equal(x->pairs[0].key, "a");
    assert_string_equal(labels_get(x, "b"), "2");
    assert_null(labels_get(x, "c"));
    assert_null(labels_get(x, ""));
    assert_null(labels_get(NULL, "a"));
    assert_ptr_equal(x->pairs[0].key, z->pairs[0].key);
    labels_unref(x);
    assert_string_equal(labels_get(y, "a"), "1");
    labels_unref(y);
    labels_unref(z);
    labels_unref(NULL);
}

static void last_of_a_key_counts(void **state)
{
    const struct label pairs[] = {{"k", "1"}, {"a", "x"}, {"k", "2"}, {"k", "3"}, {"a", "y"}};
    const struct label result[] = {{"a", "y"}, {"k", "3"}};
    const struct labels *x = labels_new(pairs, 5), *y = labels_new(result, 2);

    (void)state;
    assert_ptr_equal(x, y);
    assert_int_equal(x->n, 2);
    labels_unref(x);
    labels_unref(y);
}

static void empty_set(void **state)
{
    const struct label one[] = {{"a", ""}};
    const struct labels *none = labels_new(NULL, 0), *again = labels_new(NULL, 0);
    const struct labels *a = labels_new(one, 1);

    (void)state;
    assert_ptr_equal(none, again);
    assert_true(labels_match(none, none));
    assert_true(labels_match(none, a));
    assert_true(labels_match(none, NULL));
    assert_false(labels_match(a, none));
    assert_false(labels_match(a, NULL));
    assert_string_equal(labels_get(a, "a"), "");
    labels_unref(none);
    labels_unref(again);
    labels_unref(a);
}

static void selectors(void **state)
{
    const struct label pod[] = {{"app", "web"}, {"tier", "front"}, {"zone", "b"}, {"hash", "f00"}};
    const struct label yes[] = {{"zone", "b"}, {"app", "web"}};
    const struct label value[] = {{"app", "db"}}, missing[] = {{"app", "web"}, {"x", "y"}};
    const struct labels *labels = labels_new(pod, 4);
    const struct labels *match = labels_new(yes, 2), *no = labels_new(value, 1);
    const struct labels *more = labels_new(missing, 2);

    (void)state;
    assert_true(labels_match(match, labels));
    assert_true(labels_match(labels, labels));
    assert_false(labels_match(labels, match));
    assert_false(labels_match(no, labels));
    assert_false(labels_match(more, labels));
    labels_unref(labels);
    labels_unref(match);
    labels_unref(no);
    labels_unref(more);
}

static void names(void **state)
{
    char long_name[1000];
    const char *a = name_intern_bytes("moonshine", 4), *b = name_intern("moon"), *c;

    (void)state;
    assert_ptr_equal(a, b);
    assert_string_equal(a, "moon");
    assert_ptr_equal(name_ref(a), a);
    name_unref(a);
    name_unref(b);
    name_unref(a);
    assert_null(name_intern(NULL));
    assert_null(name_ref(NULL));
    name_unref(NULL);

    memset(long_name, 'x', sizeof long_name);
    a = name_intern_bytes(long_name, sizeof long_name);
    c = name_intern_bytes(long_name, sizeof long_name);
    assert_ptr_equal(a, c);
    assert_int_equal(strlen(a), sizeof long_name);
    name_unref(a);
    name_unref(c);
}

/* Many sets that come and go: what remains is right, and all is given back in the end (which the
 * sanitizer's leak check sees). */
static void churn(void **state)
{
    const struct labels *live[257] = {0};

    (void)state;
    srand(2);
    for (int i = 0; i < 20000; i++) {
        unsigned slot = (unsigned)rand() % 257, kind = (unsigned)rand() % 40;
        char value[16];

        snprintf(value, sizeof value, "v%u", kind);
        labels_unref(live[slot]);
        live[slot] = labels_new((const struct label[]){{"app", value}, {"n", "1"}}, 2);
        assert_string_equal(labels_get(live[slot], "app"), value);
        for (unsigned other = 0; other < 257; other += 16) {
            if (live[other])
                assert_int_equal(live[other] == live[slot],
                                 strcmp(labels_get(live[other], "app"), value) == 0);
        }
    }
    for (size_t i = 0; i < 257; i++)
        labels_unref(live[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_shared), cmocka_unit_test(last_of_a_key_counts),
        cmocka_unit_test(empty_set),       cmocka_unit_test(selectors),
        cmocka_unit_test(names),           cmocka_unit_test(churn),
    };

    return cmocka_run_group_tests_name("labels", tests, NULL, NULL);
}
