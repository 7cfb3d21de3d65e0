/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Delays as numbers: their bounds, whatever the jitter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/backoff.h"

#define SECOND 1000000u

static void delays_double_up_to_a_limit(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        struct backoff backoff = {0};
        uint64_t now = SECOND, expected = BACKOFF_FIRST;

        for (unsigned i = 0; i < 12; i++) {
            uint64_t delay = backoff_next(&backoff, now, 0);

            assert_in_range(delay, expected, 2 * expected - 1);
            now += delay;
            expected = expected * 2 > BACKOFF_MAX ? BACKOFF_MAX : expected * 2;
        }
        assert_int_equal(expected, BACKOFF_MAX);
    }
}

static void what_the_server_asks_for_is_waited_within_reason(void **state)
{
    struct backoff backoff = {0};

    (void)state;
    assert_in_range(backoff_next(&backoff, SECOND, 3 * SECOND), 3 * SECOND, 6 * SECOND - 1);
    assert_in_range(backoff_next(&backoff, 2 * SECOND, UINT64_MAX), BACKOFF_ASKED_MAX,
                    2 * (uint64_t)BACKOFF_ASKED_MAX - 1);
    /* a request shorter than what is due changes nothing */
    assert_in_range(backoff_next(&backoff, 3 * SECOND, 1), 4 * BACKOFF_FIRST,
                    8 * BACKOFF_FIRST - 1);
}

static void health_forgets_failures(void **state)
{
    struct backoff backoff = {0};
    uint64_t now = SECOND;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        (void)backoff_next(&backoff, now, 0);
    now += BACKOFF_HEALTHY; /* not longer than the delay on top of it */
    assert_in_range(backoff_next(&backoff, now, 0), 8 * BACKOFF_FIRST, 16 * BACKOFF_FIRST - 1);
    now += BACKOFF_HEALTHY + 2 * BACKOFF_MAX + 1;
    assert_in_range(backoff_next(&backoff, now, 0), BACKOFF_FIRST, 2 * BACKOFF_FIRST - 1);
}

static void jitter_stays_below_its_limit(void **state)
{
    (void)state;
    assert_int_equal(backoff_jitter(0), 0);
    assert_int_equal(backoff_jitter(1), 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_in_range(backoff_jitter(10), 0, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_up_to_a_limit),
        cmocka_unit_test(what_the_server_asks_for_is_waited_within_reason),
        cmocka_unit_test(health_forgets_failures),
        cmocka_unit_test(jitter_stays_below_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
