/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A daemon that asks for more time. What takes a daemon to be tested is in tests/e2e.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

#include "nss/connection.h"
#include <kubesvc/limits.h>

static volatile sig_atomic_t handled;

static void count(int number)
{
    (void)number;
    handled++;
}

/* They are read without a wait, in which the signal would be noticed. */
static void frames_that_never_cease_hold_no_signal_back(void **state)
{
    const struct sigaction action = {.sa_handler = count};
    struct guard guard;

    (void)state;
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    guard_enter(&guard);
    struct connection connection = connection_new(&guard);

    assert_int_equal(raise(SIGUSR1), 0);
    connection.look = INT64_MAX; /* not yet the time to check */
    assert_int_equal(connection_extend(&connection), CONNECTION_OK);
    connection.look = 0;
    assert_int_equal(connection_extend(&connection), CONNECTION_URGED);
    assert_int_equal(handled, 0);
    guard_leave(&guard);
    assert_int_equal(handled, 1);
}

static void there_is_a_limit_to_more_time(void **state)
{
    struct connection connection = connection_new(NULL);

    (void)state;
    connection.limit -= KUBESVC_PENDING_MAX_MS;
    assert_int_equal(connection_extend(&connection), CONNECTION_SLOW);
    assert_true(connection.deadline <= connection.limit);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_that_never_cease_hold_no_signal_back),
        cmocka_unit_test(there_is_a_limit_to_more_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
