/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rotation: every address leads equally often, whatever else is asked in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "daemon/serve/round_robin.h"

static struct round_robin *round_robin;

static int setup(void **state)
{
    (void)state;
    return round_robin_new(&round_robin);
}

static int teardown(void **state)
{
    (void)state;
    round_robin = round_robin_free(round_robin);
    return 0;
}

static uint32_t next(const char *owner, enum kubesvc_family family, uint32_t n)
{
    return round_robin_next(round_robin, owner, strlen(owner), family, n);
}

static void test_each_leads_in_turn(void **state)
{
    uint32_t first = next("a.moon.svc.cluster.local", KUBESVC_FAMILY_INET, 7);

    (void)state;
    assert_true(first < 7);
    for (uint32_t i = 1; i < 1000; i++)
        assert_int_equal(next("a.moon.svc.cluster.local", KUBESVC_FAMILY_INET, 7), (first + i) % 7);
}

static void test_one_address(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(next("a.moon.svc.cluster.local", KUBESVC_FAMILY_INET, 1), 0);
}

static void test_names_and_families_do_not_disturb_each_other(void **state)
{
    unsigned a[2] = {0}, b[2] = {0}, c[2] = {0};

    (void)state;
    for (int i = 0; i < 100; i++) {
        a[next("a.moon.svc.cluster.local", KUBESVC_FAMILY_INET, 2)]++;
        b[next("b.moon.svc.cluster.local", KUBESVC_FAMILY_INET, 2)]++;
        c[next("a.moon.svc.cluster.local", KUBESVC_FAMILY_INET6, 2)]++;
    }
    assert_int_equal(a[0], 50);
    assert_int_equal(b[0], 50);
    assert_int_equal(c[0], 50);
}

static void test_letters_do_not_matter(void **state)
{
    uint32_t first = next("a.moon", KUBESVC_FAMILY_INET, 5);

    (void)state;
    assert_int_equal(next("A.Moon", KUBESVC_FAMILY_INET, 5), (first + 1) % 5);
}

static void test_set_that_changes_size(void **state)
{
    unsigned leads[4] = {0};

    (void)state;
    for (int i = 0; i < 9; i++)
        (void)next("a", KUBESVC_FAMILY_INET, 1000);
    for (int i = 0; i < 400; i++)
        leads[next("a", KUBESVC_FAMILY_INET, 4)]++;
    for (int i = 0; i < 4; i++)
        assert_int_equal(leads[i], 100);
}

/* More names than the table holds: then it forgets, and must be fair all the same. */
static void test_more_names_than_slots(void **state)
{
    unsigned leads[3] = {0}, sum = 0;

    (void)state;
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 60000; i++) {
            g_autofree char *name = g_strdup_printf("web-%d.moon.svc.cluster.local", i);

            leads[next(name, KUBESVC_FAMILY_INET, 3)]++;
            sum++;
        }
    /* Six standard deviations of a fair die of three sides. */
    for (int i = 0; i < 3; i++)
        assert_in_range(leads[i], sum / 3 - 1200, sum / 3 + 1200);
}

/* A name that starts over must not always start with the first. */
static void test_start_is_anywhere(void **state)
{
    unsigned leads[2] = {0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        g_autofree char *name = g_strdup_printf("web-%d", i);

        leads[next(name, KUBESVC_FAMILY_INET, 2)]++;
    }
    assert_in_range(leads[0], 400, 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_leads_in_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_address, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_and_families_do_not_disturb_each_other, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_letters_do_not_matter, setup, teardown),
        cmocka_unit_test_setup_teardown(test_set_that_changes_size, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_names_than_slots, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_is_anywhere, setup, teardown),
    };

    return cmocka_run_group_tests_name("rotation", tests, NULL, NULL);
}
