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

#include "daemon/serve/listener.h"
#include "daemon/serve/listening_socket.h"

static int setup(void **state)
{
    char *directory = g_strdup("/tmp/kubesvc-listener-XXXXXX");
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

static void on_accept(void *userdata, int fd)
{
    (void)userdata;
    close(fd);
}

static bool evict(void *userdata)
{
    (void)userdata;
    return false;
}

static int try_to_enter(const char *path)
{
    static const struct acceptor_handler handler = {.on_accept = on_accept, .evict = evict};
    struct listener *listener = NULL;
    sd_event *event;

    assert_int_equal(sd_event_new(&event), 0);
    int r = listener_new(&listener, event, path, -1, &handler);
    listener_free(listener);
    sd_event_unref(event);
    return r;
}

static void another_daemon_is_left_alone(void **state)
{
    g_autofree char *path = g_build_filename(*state, "socket", NULL);
    struct listening_socket *listener;

    assert_int_equal(listening_socket_new(&listener, path, -1), 0);
    assert_int_equal(try_to_enter(path), LISTENER_BUSY);
    assert_true(listening_socket_is_reached(listener));
    listening_socket_free(listener);
    assert_int_equal(try_to_enter(path), 0);
}

#define listener_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        listener_test(another_daemon_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
