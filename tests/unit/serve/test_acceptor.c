/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many connections may wait to be accepted, with a clock of our own: many, except while they
 * come without end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/serve/acceptor.h"
#include "daemon/serve/listening_socket.h"
#include <kubesvc/limits.h>

#define FLOOD_BACKLOG 64 /* acceptor.c */
#define FLOOD_RATE 5000u

static uint64_t clock_usec = 1;
static unsigned n_accepted;

static uint64_t fake_now(void)
{
    return clock_usec;
}

static void on_accept(void *userdata, int fd)
{
    (void)userdata;
    n_accepted++;
    close(fd);
}

static bool evict(void *userdata)
{
    (void)userdata;
    return false;
}

struct entrance {
    sd_event *event;
    int listening;
    struct sockaddr_un address;
    socklen_t size;
    struct acceptor *acceptor;
};

static int setup(void **state)
{
    struct entrance *entrance = g_new0(struct entrance, 1);
    const struct acceptor_handler handler = {
        .on_accept = on_accept, .evict = evict, .now = fake_now};

    *state = entrance;
    entrance->address.sun_family = AF_UNIX;
    entrance->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The kernel chooses an abstract address. */
    assert_int_equal(bind(entrance->listening, (const struct sockaddr *)&entrance->address,
                          sizeof entrance->address.sun_family),
                     0);
    entrance->size = sizeof entrance->address;
    assert_int_equal(
        getsockname(entrance->listening, (struct sockaddr *)&entrance->address, &entrance->size),
        0);
    assert_int_equal(listen(entrance->listening, LISTENING_SOCKET_BACKLOG), 0);
    assert_int_equal(sd_event_new(&entrance->event), 0);
    return acceptor_new(&entrance->acceptor, entrance->event, entrance->listening, &handler);
}

static int teardown(void **state)
{
    struct entrance *entrance = *state;

    acceptor_free(entrance->acceptor);
    sd_event_unref(entrance->event);
    close(entrance->listening);
    g_free(entrance);
    return 0;
}

/* A client that does not wait to be accepted. False: the queue is full. */
static bool come(const struct entrance *entrance)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = connect(fd, (const struct sockaddr *)&entrance->address, entrance->size);

    close(fd);
    return r == 0;
}

static void accept_all(const struct entrance *entrance)
{
    while (sd_event_run(entrance->event, 0) > 0)
        continue;
}

/* So many clients, each accepted at once. */
static void admit(const struct entrance *entrance, unsigned n)
{
    unsigned before = n_accepted;

    for (unsigned i = 0; i < n; i++) {
        assert_true(come(entrance));
        accept_all(entrance);
    }
    assert_int_equal(n_accepted - before, n);
}

/* What the kernel makes of a queue of this length. */
static unsigned limit_of_kernel(unsigned backlog)
{
    g_autofree char *text = NULL;

    assert_true(g_file_get_contents("/proc/sys/net/core/somaxconn", &text, NULL, NULL));
    return MIN(backlog, (unsigned)strtoul(text, NULL, 10));
}

/* The kernel lets one more in. */
static void assert_backlog(const struct entrance *entrance, unsigned expected)
{
    unsigned n = 0, before = n_accepted;

    while (come(entrance))
        n++;
    assert_int_equal(n, limit_of_kernel(expected) + 1);
    accept_all(entrance);
    assert_int_equal(n_accepted - before, n);
}

static unsigned in_a_flood(uint64_t usec)
{
    return (unsigned)(usec * FLOOD_RATE / G_USEC_PER_SEC) + 1;
}

static void the_queue_is_short_during_a_flood(void **state)
{
    const struct entrance *entrance = *state;
    uint64_t window = KUBESVC_DEADLINE_MS * (uint64_t)1000;

    assert_backlog(entrance, LISTENING_SOCKET_BACKLOG);
    for (int i = 0; i < 2; i++) {
        admit(entrance, in_a_flood(window));
        clock_usec += window;
        admit(entrance, 1);
        assert_backlog(entrance, FLOOD_BACKLOG);
    }
    /* Over. */
    clock_usec += window;
    admit(entrance, 1);
    assert_backlog(entrance, LISTENING_SOCKET_BACKLOG);
}

static void a_burst_is_no_flood(void **state)
{
    const struct entrance *entrance = *state;
    uint64_t window = KUBESVC_DEADLINE_MS * (uint64_t)1000;

    admit(entrance, in_a_flood(window) * 2);
    clock_usec += window - 1;
    admit(entrance, 1);
    assert_backlog(entrance, LISTENING_SOCKET_BACKLOG);
    clock_usec += 10 * window;
    admit(entrance, 1);
    assert_backlog(entrance, LISTENING_SOCKET_BACKLOG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_queue_is_short_during_a_flood, setup, teardown),
        cmocka_unit_test_setup_teardown(a_burst_is_no_flood, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
