/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way in, at a start: another daemon is left alone, what one left behind is taken over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <unistd.h>

#include "daemon/serve/entrance.h"
#include "daemon/serve/listener.h"

static int setup(void **state)
{
    char *directory = g_strdup("/tmp/kubesvc-entrance-XXXXXX");
    *state = directory;
    return g_mkdtemp(directory) ? 0 : -1;
}

/* Fails if anything was left behind. */
static int teardown(void **state)
{
    int r = g_rmdir(*state);
    g_free(*state);
    return r;
}

static void greet(void *userdata, int fd)
{
    (void)userdata;
    close(fd);
}

static bool shed(void *userdata)
{
    (void)userdata;
    return false;
}

static int try_to_enter(const char *path)
{
    static const struct acceptor_handler handler = {.greet = greet, .shed = shed};
    struct entrance *entrance = NULL;
    sd_event *event;

    assert_int_equal(sd_event_new(&event), 0);
    int r = entrance_new(&entrance, event, path, -1, &handler);
    entrance_free(entrance);
    sd_event_unref(event);
    return r;
}

static void another_daemon_is_left_alone(void **state)
{
    g_autofree char *path = g_build_filename(*state, "socket", NULL);
    struct listener *listener;

    assert_int_equal(listener_new(&listener, path), 0);
    assert_int_equal(try_to_enter(path), ENTRANCE_BUSY);
    assert_true(listener_is_reached(listener));
    listener_free(listener);
    assert_int_equal(try_to_enter(path), 0);
}

#define entrance_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        entrance_test(another_daemon_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
