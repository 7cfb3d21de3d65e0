/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Slow, idle, greedy and hostile clients: they are served or dropped, and others never notice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/serve/listening_socket.h"
#include "tests/unit/alarm.h"
#include "tests/unit/serving.h"
#include "tests/unit/skip_test.h"

#define SEC ((uint64_t)1000000)
#define OTHER_USER 65534

static struct serving serving;

static int setup(void **state)
{
    (void)state;
    serving_start(&serving, true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    serving_stop(&serving);
    return 0;
}

static struct server_status status(void)
{
    struct server_status status;

    server_status(serving.server, &status);
    return status;
}

/* Another user's lookup is answered at once, and correctly. */
static void expect_service(void)
{
    ALARM second = alarm_new(serving.event, SEC);
    g_autoptr(GByteArray) frame = serving_ask(&serving, "one", KUBESVC_FAMILY_INET);

    assert_int_equal(serving_answer(frame).status, KUBESVC_STATUS_FOUND);
    assert_false(alarm_rang(second));
}

static void send_name(int fd, const char *name, uint16_t flags)
{
    g_autoptr(GByteArray) request =
        serving_name_request(name, KUBESVC_FAMILY_INET, KUBESVC_ADDRESSES_MAX, flags);

    serving_send(fd, request->data, request->len);
}

/* The answer has all of `n` addresses (see serving_put_many), in a circle from any one on. */
static void expect_many(const GByteArray *frame, uint32_t n)
{
    const uint8_t *addresses;
    uint32_t first = 0;

    assert_non_null(frame);
    assert_int_equal(serving_answer(frame).status, KUBESVC_STATUS_FOUND);
    assert_int_equal(serving_answer(frame).inet, n);
    addresses = serving_addresses(frame);
    assert_int_equal(frame->data + frame->len - addresses, 4 * (size_t)n);
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *a = addresses + 4 * (size_t)i;
        uint32_t index = (uint32_t)(a[1] - 128) << 16 | (uint32_t)a[2] << 8 | a[3];

        if (i == 0)
            first = index;
        if (index != (first + i) % n)
            fail();
    }
}

static void test_idle_clients_go_after_five_seconds(void **state)
{
    static const uint8_t half[8] = {0x4b, 0x53, 0x56, 0x43, 1, 1};
    int idle = serving_connect(&serving, -1), partial = serving_connect(&serving, -1);
    int dripping = serving_connect(&serving, -1), kept = serving_connect(&serving, -1);
    ALARM eight = alarm_new(serving.event, 8 * SEC);
    uint64_t start = serving_now();
    g_autoptr(GByteArray) frame = NULL;

    (void)state;
    serving_send(partial, half, sizeof half);
    send_name(kept, "one", KUBESVC_FLAG_KEEP);
    frame = serving_read(&serving, kept, SEC);
    assert_non_null(frame);
    for (size_t i = 0; i < sizeof half; i++) { /* a byte now and then buys no time */
        (void)!send(dripping, half + i, 1, MSG_NOSIGNAL);
        serving_pass(&serving, SEC / 2);
        assert_true(status().clients == 4 || serving_now() - start > 4900000);
    }
    expect_service();
    assert_true(serving_is_closed(&serving, idle, 2 * SEC));
    assert_true(serving_now() - start > 4900000);
    assert_true(serving_is_closed(&serving, partial, SEC));
    assert_true(serving_is_closed(&serving, dripping, SEC));
    assert_true(serving_is_closed(&serving, kept, SEC));
    assert_false(alarm_rang(eight));
    assert_int_equal(status().clients, 0);
    close(idle);
    close(partial);
    close(dripping);
    close(kept);
}

static void close_all(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void test_a_thousand_idle_clients(void **state)
{
    ALARM four = alarm_new(serving.event, 4 * SEC);
    int fds[1000];

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        fds[i] = serving_connect(&serving, -1);
        assert_true(fds[i] >= 0);
        serving_turn(&serving, 0);
    }
    while (status().clients < G_N_ELEMENTS(fds))
        serving_turn(&serving, SEC);
    for (int i = 0; i < 100; i++)
        expect_service();
    assert_false(alarm_rang(four));
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) /* and each of them is still served */
        send_name(fds[i], "one", 0);
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        g_autoptr(GByteArray) frame = serving_read(&serving, fds[i], SEC);

        assert_non_null(frame);
    }
    close_all(fds, G_N_ELEMENTS(fds));
}

/* One user has more connections than allowed: its own oldest are closed, and no other user's. */
static void test_one_user_cannot_lock_others_out(void **state)
{
    static int fds[5000];
    struct rlimit limit;
    int other, n = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0); /* both ends are in this process */
    if (geteuid() != 0 || limit.rlim_cur < 10000)
        skip_test("needs root and 10,000 descriptors");
    other = serving_connect(&serving, OTHER_USER);
    for (; n < 5000; n++) {
        fds[n] = serving_connect(&serving, -1);
        assert_true(fds[n] >= 0);
        serving_turn(&serving, 0);
        if (n % 500 == 0)
            expect_service();
    }
    expect_service();
    assert_int_equal(status().clients, 4096);
    assert_true(serving_is_closed(&serving, fds[0], 0));
    assert_true(serving_is_closed(&serving, fds[800], 0));
    assert_false(serving_is_closed(&serving, fds[4999], 0));
    assert_false(serving_is_closed(&serving, other, 0));
    send_name(other, "one", 0);
    {
        g_autoptr(GByteArray) frame = serving_read(&serving, other, SEC);

        assert_non_null(frame);
    }
    close(other);
    close_all(fds, 5000);
}

/* A user has 10,000 requests queued. Any other user is answered after some dozens of them. */
static void test_one_user_cannot_keep_others_waiting(void **state)
{
    int fds[100];

    (void)state;
    if (geteuid() != 0)
        skip_test("needs root, to be another user");
    g_autoptr(GByteArray) request =
        serving_name_request("one", KUBESVC_FAMILY_INET, 0, KUBESVC_FLAG_KEEP);
    g_autoptr(GByteArray) many = g_byte_array_new();
    for (int i = 0; i < 100; i++)
        g_byte_array_append(many, request->data, request->len);
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        fds[i] = serving_connect(&serving, OTHER_USER);
        serving_send(fds[i], many->data, many->len);
    }
    while (status().clients < G_N_ELEMENTS(fds))
        serving_turn(&serving, 0);
    for (int i = 0; i < 10; i++) {
        uint64_t before = status().questions;

        expect_service();
        assert_true(status().questions - before <= 4 * 64); /* slices of the scheduler */
    }
    assert_true(status().questions < 10000);
    close_all(fds, G_N_ELEMENTS(fds));
}

/* --- Large answers
 * -------------------------------------------------------------------------------- */

static void test_stalled_reader(void **state)
{
    int stalled = serving_connect(&serving, -1), slow = serving_connect(&serving, -1);
    ALARM two = alarm_new(serving.event, 2 * SEC);
    ALARM eight = alarm_new(serving.event, 8 * SEC);
    uint64_t start = serving_now();

    (void)state;
    serving_put_many(&serving, "many", 10000);
    for (int i = 0; i < 20; i++) { /* more than the socket's buffer takes */
        send_name(stalled, "many", KUBESVC_FLAG_KEEP);
        send_name(slow, "many", KUBESVC_FLAG_KEEP);
    }
    for (int i = 0; i < 100; i++)
        expect_service();
    assert_false(alarm_rang(two));
    for (int i = 0; i < 20; i++) {
        g_autoptr(GByteArray) frame = serving_read(&serving, slow, SEC);

        expect_many(frame, 10000);
    }
    assert_int_equal(status().clients, 2);
    while (status().clients > 0) /* the kept one as well: it has nothing more to ask */
        serving_turn(&serving, SEC);
    assert_true(serving_now() - start > 4900000);
    assert_false(alarm_rang(eight));
    close(stalled);
    close(slow);
}

/* The largest answer there may be, read slowly while the snapshot under it changes. */
static void test_largest_answer(void **state)
{
    uint8_t head[1000];
    g_autoptr(GByteArray) frame = NULL;
    g_autoptr(GByteArray) whole = g_byte_array_new();
    int fd;

    (void)state;
    serving_put_many(&serving, "huge", KUBESVC_ADDRESSES_MAX);
    fd = serving_connect(&serving, -1);
    send_name(fd, "huge", 0);
    for (int i = 0; i < 20; i++) {
        expect_service();
        serving_put_many(&serving, "huge", 1000 + (uint32_t)i);
    }
    assert_int_equal(snapshot_writer_compact(serving.writer), 0);
    snapshot_writer_release(serving.writer, snapshot_writer_retired(serving.writer));
    assert_int_equal(recv(fd, head, sizeof head, 0), sizeof head);
    expect_service();
    {
        struct kubesvc_header header;

        memcpy(&header, head, sizeof header);
        g_byte_array_append(whole, head, sizeof head);
        while (whole->len < sizeof header + header.length) {
            uint8_t data[50000];
            ssize_t n = recv(fd, data, sizeof data, 0);

            assert_int_not_equal(n, 0);
            if (n > 0)
                g_byte_array_append(whole, data, (guint)n);
            serving_turn(&serving, 0);
        }
    }
    expect_many(whole, KUBESVC_ADDRESSES_MAX);
    assert_true(serving_is_closed(&serving, fd, SEC));
    close(fd);
    frame = serving_ask(&serving, "huge", KUBESVC_FAMILY_INET);
    expect_many(frame, 1019);
}

/* A user with more unsent bytes than allowed loses the oldest; the others get theirs. */
static void test_queued_bytes_are_bounded(void **state)
{
    int fds[12], other = -1, closed = 0, complete = 0;

    (void)state;
    serving_put_many(&serving, "huge", KUBESVC_ADDRESSES_MAX);
    if (geteuid() == 0) {
        other = serving_connect(&serving, OTHER_USER);
        send_name(other, "huge", 0);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        fds[i] = serving_connect(&serving, -1);
        send_name(fds[i], "huge", 0);
        serving_turn(&serving, 0);
    }
    expect_service();
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        g_autoptr(GByteArray) frame = serving_read(&serving, fds[i], 4 * SEC);

        closed += frame == NULL;
        complete += frame != NULL;
        if (frame)
            expect_many(frame, KUBESVC_ADDRESSES_MAX);
        else
            assert_int_equal(complete, 0); /* the oldest went */
        close(fds[i]);
    }
    assert_int_equal(complete, 8); /* 4 MiB each, less what the sockets took, of 32 MiB */
    assert_int_equal(closed, 4);
    if (other >= 0) {
        g_autoptr(GByteArray) frame = serving_read(&serving, other, 4 * SEC);

        expect_many(frame, KUBESVC_ADDRESSES_MAX);
        close(other);
    }
}

/* --- Descriptors
 * ------------------------------------------------------------------------------------ */

/* With the reserve alone, and as many clients as can wait to be accepted: those that ask are
 * served, idle ones make room for each other. */
static void test_no_descriptors_left(void **state)
{
    struct rlimit before, low;
    int fds[LISTENING_SOCKET_BACKLOG / 2], idle[LISTENING_SOCKET_BACKLOG / 2], top;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        fds[i] = serving_connect(&serving, -1);
    for (size_t i = 0; i < G_N_ELEMENTS(idle); i++)
        idle[i] = serving_connect(&serving, -1);
    top = dup(0);
    close(top);
    low = (struct rlimit){.rlim_cur = (rlim_t)top, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);

    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        send_name(fds[i], "one", 0);
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        g_autoptr(GByteArray) frame = serving_read(&serving, fds[i], SEC);

        assert_non_null(frame);
    }
    for (int i = 0; i < 20; i++)
        serving_turn(&serving, 10000);
    assert_true(status().clients <= 1);
    assert_int_equal(status().clients + status().refused, G_N_ELEMENTS(idle));

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    expect_service();
    close_all(fds, G_N_ELEMENTS(fds));
    close_all(idle, G_N_ELEMENTS(idle));
}

/* Not even the reserve is there: nothing is accepted, the loop does not spin, and all is well
 * later. */
static void test_no_reserve_left(void **state)
{
    struct rlimit before, low = {0};
    uint64_t start, turns = 0;
    int fd;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    fd = serving_connect(&serving, -1);
    send_name(fd, "one", 0);
    low.rlim_max = before.rlim_max; /* no descriptor is low enough */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    for (start = serving_now(); serving_now() - start < SEC / 2; turns++)
        serving_turn(&serving, SEC / 20);
    assert_true(turns < 50);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    {
        g_autoptr(GByteArray) frame = serving_read(&serving, fd, SEC);

        assert_non_null(frame);
    }
    close(fd);
}

/* --- Hostile
 * ---------------------------------------------------------------------------------------- */

/* Random bytes, in one piece and after a true header: never an answer that was not asked for, never
 * a crash, and service for others. */
static void test_noise(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);

    (void)state;
    for (int i = 0; i < 3000; i++) {
        uint8_t data[300];
        int fd = serving_connect(&serving, -1);
        size_t size = (size_t)g_rand_int_range(random, 1, sizeof data);

        for (size_t k = 0; k < size; k++)
            data[k] = (uint8_t)g_rand_int(random);
        if (i % 2)
            memcpy(data, "KSVC\1", MIN(size, 5));
        if (i % 4 == 3 && size > 16) {
            data[5] = (uint8_t)g_rand_int_range(random, 1, 3);
            memcpy(data + 8, &(uint32_t){htole32((uint32_t)size - 16)}, 4);
        }
        serving_send(fd, data, size);
        serving_turn(&serving, 0);
        close(fd);
    }
    expect_service();
    while (status().clients > 0)
        serving_turn(&serving, SEC);
}

/* Gone in every state: before it is accepted, in the middle of a request, before and while it is
 * answered, while it waits. */
static void test_leaving_early(void **state)
{
    (void)state;
    serving_put_many(&serving, "many", 100000);
    for (int i = 0; i < 200; i++) {
        int fd = serving_connect(&serving, -1);

        if (i % 5 == 1)
            serving_send(fd, "KSVC", 4);
        if (i % 5 == 2)
            send_name(fd, "one", 0);
        if (i % 5 == 3)
            send_name(fd, "many", 0);
        if (i % 5 == 4)
            send_name(fd, "dead", 0);
        if (i % 2)
            serving_turn(&serving, 0);
        close(fd);
    }
    expect_service();
    for (ALARM second = alarm_new(serving.event, SEC); status().clients > 0;) {
        assert_false(alarm_rang(second));
        serving_turn(&serving, SEC / 10);
    }
    assert_int_equal(status().pending, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_idle_clients_go_after_five_seconds),
        TEST(test_a_thousand_idle_clients),
        TEST(test_one_user_cannot_lock_others_out),
        TEST(test_one_user_cannot_keep_others_waiting),
        TEST(test_stalled_reader),
        TEST(test_largest_answer),
        TEST(test_queued_bytes_are_bounded),
        TEST(test_no_descriptors_left),
        TEST(test_no_reserve_left),
        TEST(test_noise),
        TEST(test_leaving_early),
    };

    return cmocka_run_group_tests_name("server_limits", tests, NULL, NULL);
}
