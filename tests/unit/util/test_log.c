/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LDFLAGS: -Wl,--wrap=poll */
/*
 * Lines that were dropped are reported once, even if two threads write at the same time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/log.h"

static bool blocked;                    /* stderr takes nothing */
static void (*_Atomic meanwhile)(void); /* called once, while a line is about to be written */
static char text[4096];                 /* what was written */

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    void (*now)(void) = meanwhile;

    (void)timeout;
    meanwhile = NULL;
    if (now)
        now();
    fds->revents = blocked ? 0 : POLLOUT;
    return blocked ? 0 : (int)n;
}

static void *write_line(void *data)
{
    log_info("of another thread");
    return data;
}

static void let_another_thread_write(void)
{
    g_thread_join(g_thread_new(NULL, write_line, NULL));
}

static void drop_lines(void)
{
    blocked = true;
    for (unsigned i = 0; i < 3; i++)
        log_info("dropped");
    blocked = false;
}

static void threads_report_lost_lines_once(void **state)
{
    int fds[2], before = dup(STDERR_FILENO);

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
    close(fds[1]);
    drop_lines();
    meanwhile = let_another_thread_write;
    log_info("of this thread");
    log_info("last");
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    close(before);
    assert_in_range(read(fds[0], text, sizeof text - 1), 1, sizeof text - 1);
    close(fds[0]);
    assert_string_equal(text, "of another thread\n"
                              "3 log lines dropped (stderr blocked)\n"
                              "of this thread\n"
                              "last\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_report_lost_lines_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
