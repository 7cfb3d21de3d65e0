/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting clients: kept informed, retried in rounds that skip none, and dropped in the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "daemon/serve/timeouts.h"
#include "tests/unit/alarm.h"

#define CLIENTS 600
#define SEC ((uint64_t)1000000)

static sd_event *event;
static struct timeouts *timeouts;
static struct client *clients[CLIENTS];
static bool leaving;
static unsigned overdue, reminded, expired, retried, tries[CLIENTS];

static size_t index_of(const struct client *client)
{
    size_t i = 0;

    while (i < CLIENTS - 1 && clients[i] != client)
        i++;
    return i;
}

static void on_overdue(void *userdata, struct client *client)
{
    (void)userdata;
    (void)client;
    overdue++;
}

static void on_remind(void *userdata, struct client *client)
{
    (void)userdata;
    (void)client;
    reminded++;
}

static void on_expire(void *userdata, struct client *client)
{
    (void)userdata;
    timeouts_remove(timeouts, client);
    expired++;
}

/* If they leave, every third does when it is its turn, and takes its neighbour along. */
static void on_retry(void *userdata, struct client *client)
{
    size_t i = index_of(client);

    (void)userdata;
    retried++;
    tries[i]++;
    if (!leaving || i % 3 != 0)
        return;
    timeouts_remove(timeouts, client);
    if (i + 1 < CLIENTS)
        timeouts_remove(timeouts, clients[i + 1]);
}

static int setup(void **state)
{
    const struct timeouts_handler handler = {on_overdue, on_remind, on_expire, on_retry, NULL};

    (void)state;
    leaving = false;
    overdue = reminded = expired = retried = 0;
    memset(tries, 0, sizeof tries);
    assert_true(sd_event_new(&event) >= 0);
    assert_int_equal(timeouts_new(&timeouts, event, &handler), 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        clients[i] = client_new(fd);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLIENTS; i++) {
        timeouts_remove(timeouts, clients[i]);
        client_free(clients[i]);
    }
    assert_null(timeouts_any(timeouts));
    timeouts = timeouts_free(timeouts);
    event = sd_event_unref(event);
    return 0;
}

static uint64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * SEC + (uint64_t)ts.tv_nsec / 1000;
}

static void turn_until(const unsigned *count, unsigned wanted)
{
    for (ALARM ten = alarm_new(event, 10 * SEC); *count < wanted;) {
        assert_false(alarm_rang(ten));
        assert_true(sd_event_run(event, SEC) >= 0);
    }
}

static void test_parked_client_is_reminded_and_then_given_up(void **state)
{
    ALARM two = alarm_new(event, 2 * SEC);
    uint64_t start = now();

    (void)state;
    timeouts_for_answer(timeouts, clients[0]);
    assert_int_equal(timeouts_parked(timeouts), 1);
    turn_until(&reminded, 3);
    assert_true(now() - start >= 290000);
    assert_false(alarm_rang(two));
    assert_int_equal(expired, 0);
    clients[0]->parked_at -=
        KUBESVC_PENDING_MAX_MS * (uint64_t)1000; /* as if it had been long ago */
    turn_until(&expired, 1);
    assert_int_equal(reminded, 3);
    assert_int_equal(timeouts_parked(timeouts), 0);
}

static void test_client_that_does_nothing_is_overdue(void **state)
{
    ALARM seven = alarm_new(event, 7 * SEC);
    uint64_t start = now();

    (void)state;
    timeouts_for_peer(timeouts, clients[0]);
    timeouts_for_peer(timeouts, clients[1]);
    timeouts_for_answer(timeouts, clients[2]); /* turns the loop meanwhile */
    turn_until(&reminded, 10);
    timeouts_for_peer(timeouts, clients[1]); /* has got on */
    turn_until(&overdue, 1);
    assert_true(now() - start >= 5 * SEC);
    assert_false(alarm_rang(seven));
    assert_null(clients[0]->queue);
    assert_non_null(clients[1]->queue);
}

static void test_everyone_is_retried(void **state)
{
    (void)state;
    leaving = true;
    for (size_t i = 0; i < CLIENTS; i++)
        timeouts_for_answer(timeouts, clients[i]);
    timeouts_retry(timeouts);
    assert_int_equal(retried, 0); /* not before control returns to the loop */
    turn_until(&retried, CLIENTS * 2 / 3);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_true(i % 3 == 1 ? tries[i] == 0 : tries[i] >= 1);
    assert_int_equal(timeouts_parked(timeouts), CLIENTS / 3);
}

/* However often new answers come in, the last in the queue has its turn. */
static void test_rounds_that_are_cut_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLIENTS; i++)
        timeouts_for_answer(timeouts, clients[i]);
    for (int i = 0; i < 10; i++) {
        timeouts_retry(timeouts);
        assert_true(sd_event_run(event, 0) >= 0);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        assert_true(tries[i] >= 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_parked_client_is_reminded_and_then_given_up),
        TEST(test_client_that_does_nothing_is_overdue),
        TEST(test_everyone_is_retried),
        TEST(test_rounds_that_are_cut_short),
    };

    return cmocka_run_group_tests_name("waits", tests, NULL, NULL);
}
