/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counting what a daemon dies of: real processes that end in the midst of a file, in every way.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>

#include "daemon/state/start_guard.h"

static int set_up(void **state)
{
    char name[] = "/tmp/guard-XXXXXX";

    *state = g_strdup(mkdtemp(name));
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    g_autofree char *directory = *state, *file = g_build_filename(directory, "starting", NULL);

    unlink(file);
    return rmdir(directory);
}

static struct start_guard *open_guard(const char *directory)
{
    struct start_guard *guard = NULL;

    assert_int_equal(start_guard_open(&guard, directory), 0);
    return guard;
}

/* A process that dies while it is at the file; signal 0: that ends in good order. */
static void end_at(const char *directory, const char *path, uint64_t stamp, int number)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct start_guard *guard = NULL;

        if (start_guard_open(&guard, directory) < 0)
            _exit(1);
        start_guard_enter(guard, "/m/before.yaml", 9);
        start_guard_leave(guard);
        start_guard_enter(guard, path, stamp);
        signal(number, SIG_DFL);
        if (number == 0)
            start_guard_close(guard);
        else
            raise(number);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(number == 0 ? status == 0 : WIFSIGNALED(status));
}

static void assert_deaths(const char *directory, const char *path, uint64_t stamp, unsigned deaths)
{
    struct start_guard *guard = open_guard(directory);

    assert_int_equal(start_guard_deaths(guard, path, stamp), deaths);
    assert_int_equal(start_guard_deaths(guard, "/m/before.yaml", 9), 0);
    start_guard_close(guard);
}

static void deaths_in_a_row(void **state)
{
    const char *directory = *state;

    assert_deaths(directory, "/m/a.yaml", 1, 0);
    end_at(directory, "/m/a.yaml", 1, SIGKILL);
    end_at(directory, "/m/a.yaml", 1, SIGABRT);
    assert_deaths(directory, "/m/a.yaml", 1, 2);
    end_at(directory, "/m/a.yaml", 1, 0);
    assert_deaths(directory, "/m/a.yaml", 1, 2);
    end_at(directory, "/m/a.yaml", 1, SIGSEGV);
    assert_deaths(directory, "/m/a.yaml", 1, 3);
    /* a start that succeeds does not make it a file that can be read */
    struct start_guard *guard = open_guard(directory);
    start_guard_finish(guard);
    start_guard_close(guard);
    end_at(directory, "/m/b.yaml", 1, SIGKILL);
    assert_deaths(directory, "/m/a.yaml", 1, 3);
    assert_deaths(directory, "/m/a.yaml", 2, 0); /* but another content does */
    assert_deaths(directory, "/m/a.yaml", 1, 0);
}

static void what_ends_a_row(void **state)
{
    const char *directory = *state;

    end_at(directory, "/m/a.yaml", 1, SIGKILL);
    end_at(directory, "/m/a.yaml", 1, SIGKILL);
    end_at(directory, "/m/b.yaml", 1, SIGKILL);
    end_at(directory, "/m/a.yaml", 1, SIGKILL);
    assert_deaths(directory, "/m/a.yaml", 1, 1);
    end_at(directory, "/m/a.yaml", 1, SIGKILL);
    end_at(directory, "/m/a.yaml", 2, SIGKILL);
    assert_deaths(directory, "/m/a.yaml", 2, 1);
    end_at(directory, "/m/a.yaml", 2, SIGKILL);
    struct start_guard *guard = open_guard(directory);
    assert_int_equal(start_guard_deaths(guard, "/m/a.yaml", 2), 2);
    start_guard_finish(guard);
    assert_int_equal(start_guard_deaths(guard, "/m/a.yaml", 2), 0);
    start_guard_close(guard);
}

/* More fatal files than there are entries: the latest are known. */
static void many_files(void **state)
{
    const char *directory = *state;

    for (unsigned i = 0; i < 40; i++) {
        g_autofree char *path = g_strdup_printf("/m/%u.yaml", i);

        for (unsigned n = 0; n < START_GUARD_DEATHS; n++)
            end_at(directory, path, i, SIGKILL);
        assert_deaths(directory, path, i, START_GUARD_DEATHS);
    }
}

static void damaged_pages(void **state)
{
    g_autofree char *file = g_build_filename(*state, "starting", NULL);
    g_autofree char *text = g_strnfill(5000, 'x');

    assert_true(g_file_set_contents(file, text, 5000, NULL));
    assert_deaths(*state, "/m/a.yaml", 1, 0);
    assert_true(g_file_set_contents(file, text, 10, NULL));
    end_at(*state, "/m/a.yaml", 1, SIGKILL);
    assert_deaths(*state, "/m/a.yaml", 1, 1);
    assert_int_equal(truncate(file, 20), 0);
    assert_deaths(*state, "/m/a.yaml", 1, 0);
}

static void without_a_page(void **state)
{
    struct start_guard *guard = NULL;

    (void)state;
    assert_true(start_guard_open(&guard, "/nowhere/at/all") < 0);
    assert_null(guard);
    start_guard_enter(guard, "/m/a.yaml", 1);
    start_guard_leave(guard);
    start_guard_finish(guard);
    assert_int_equal(start_guard_deaths(guard, "/m/a.yaml", 1), 0);
    assert_null(start_guard_close(guard));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(deaths_in_a_row), TEST(what_ends_a_row), TEST(many_files),
        TEST(damaged_pages),   TEST(without_a_page),
    };

    return cmocka_run_group_tests_name("start_guard", tests, NULL, NULL);
}
