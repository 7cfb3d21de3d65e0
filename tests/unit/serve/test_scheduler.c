/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose turn it is, with a clock of our own: whatever a user asks for, others wait for one slice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/serve/quota.h"
#include "daemon/serve/scheduler.h"

#define GREEDY 1001u
#define MODEST 1002u
#define SLICE_STEPS 64u /* scheduler.c */
#define SLICE_USEC 200u

static sd_event *event;
static struct scheduler *scheduler;
static struct quota *quota;
static uint64_t clock_usec;
static uint64_t step_usec;   /* what a step costs */
static unsigned steps_of[2]; /* GREEDY, MODEST */

/* A client with so many requests to be served. */
struct asking {
    struct client *client;
    int peer;
    unsigned n;
};
static struct asking asking[200];
static unsigned n_asking;

static uint64_t fake_now(void)
{
    return clock_usec;
}

static struct asking *asking_of(const struct client *client)
{
    for (unsigned i = 0; i < n_asking; i++)
        if (asking[i].client == client)
            return &asking[i];
    fail();
    return NULL;
}

static void on_serve(void *userdata, struct client *client)
{
    struct asking *who = asking_of(client);

    (void)userdata;
    assert_false(client->is_ready);
    assert_true(who->n > 0);
    clock_usec += step_usec;
    steps_of[client->user->uid == MODEST]++;
    if (--who->n > 0)
        scheduler_push(scheduler, client);
}

static struct asking *ask(uid_t uid, unsigned n)
{
    struct asking *who = &asking[n_asking++];
    int fds[2];

    assert_true(n_asking <= G_N_ELEMENTS(asking));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    *who = (struct asking){.client = client_new(fds[0]), .peer = fds[1], .n = n};
    quota_add(quota, quota_user(quota, uid), who->client);
    return who;
}

static int setup(void **state)
{
    (void)state;
    clock_usec = 1000000;
    step_usec = 1;
    n_asking = 0;
    memset(steps_of, 0, sizeof steps_of);
    quota = quota_new(1000, 1000);
    assert_true(sd_event_new(&event) >= 0);
    assert_int_equal(scheduler_new(&scheduler, event,
                                   &(struct scheduler_handler){.serve = on_serve, .now = fake_now}),
                     0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < n_asking; i++) {
        scheduler_remove(scheduler, asking[i].client);
        quota_remove(quota, asking[i].client);
        client_free(asking[i].client);
        close(asking[i].peer);
    }
    scheduler = scheduler_free(scheduler);
    quota = quota_free(quota);
    event = sd_event_unref(event);
    return 0;
}

static void turn(void)
{
    assert_true(sd_event_run(event, 0) >= 0);
}

/* Ten thousand requests are queued, then another user asks one thing. */
static void test_a_user_waits_for_one_slice_of_another(void **state)
{
    struct asking *modest;
    unsigned before;

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        scheduler_push(scheduler, ask(GREEDY, 100)->client);
    for (unsigned i = 0; i < 7; i++)
        turn();
    modest = ask(MODEST, 1);
    scheduler_push(scheduler, modest->client);
    before = steps_of[0];
    while (modest->n > 0)
        turn();
    assert_true(steps_of[0] - before <= SLICE_STEPS);
    while (steps_of[0] < 10000) /* and all the others are served as well */
        turn();
}

static int on_other(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    (void)source;
    (void)fd;
    (void)revents;
    ++*(unsigned *)userdata;
    return 0;
}

/* The rest of the daemon has its turns as well. */
static void test_other_sources_take_turns(void **state)
{
    sd_event_source *source;
    unsigned others = 0;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(send(fds[1], "x", 1, 0), 1);
    assert_true(sd_event_add_io(event, &source, fds[0], EPOLLIN, on_other, &others) >= 0);
    for (unsigned i = 0; i < 20; i++)
        scheduler_push(scheduler, ask(GREEDY, 10000)->client);
    for (unsigned i = 0; i < 100; i++)
        turn();
    assert_in_range(others, 40, 60);
    sd_event_source_disable_unref(source);
    close(fds[0]);
    close(fds[1]);
}

/* A slice is a matter of time where requests are expensive. */
static void test_expensive_requests_make_short_slices(void **state)
{
    struct asking *modest;
    uint64_t before;

    (void)state;
    step_usec = SLICE_USEC / 2;
    for (unsigned i = 0; i < 50; i++)
        scheduler_push(scheduler, ask(GREEDY, 20)->client);
    turn();
    modest = ask(MODEST, 1);
    scheduler_push(scheduler, modest->client);
    before = clock_usec;
    while (modest->n > 0)
        turn();
    assert_true(clock_usec - before <= SLICE_USEC + step_usec);
}

/* One request per client and turn: a pipelining client waits for the other clients of the same
 * user. */
static void test_clients_of_a_user_take_turns(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        scheduler_push(scheduler, ask(GREEDY, 30)->client);
    while (steps_of[0] < 300) {
        unsigned least = 30, most = 0;

        for (unsigned i = 0; i < n_asking; i++) {
            least = MIN(least, asking[i].n);
            most = MAX(most, asking[i].n);
        }
        assert_true(most - least <= 1);
        turn();
    }
}

/* Out of turn a user is served while the time lasts, and not past others of its clients. */
static void test_serving_out_of_turn(void **state)
{
    struct quota_user *user = quota_user(quota, GREEDY);
    uint64_t began;

    (void)state;
    turn();
    for (unsigned i = 0; i < SLICE_USEC / 50; i++) {
        assert_true(scheduler_begin(scheduler, user, &began));
        assert_int_equal(began, clock_usec);
        clock_usec += 50;
        scheduler_end(scheduler, user, began);
    }
    assert_false(scheduler_begin(scheduler, user, &began));
    assert_true(scheduler_begin(scheduler, quota_user(quota, MODEST), &began));
    turn(); /* another turn, another slice */
    assert_true(scheduler_begin(scheduler, user, &began));
    scheduler_push(scheduler, ask(GREEDY, 1)->client);
    assert_false(scheduler_begin(scheduler, user, &began));
}

/* Bytes make a client ready that waits for them; a thousand events cost others nothing. */
static void test_events_make_ready(void **state)
{
    struct asking *one = ask(GREEDY, 1), *other = ask(MODEST, 1);

    (void)state;
    assert_int_equal(scheduler_watch(scheduler, one->client), 0);
    assert_int_equal(scheduler_watch(scheduler, other->client), 0);
    turn();
    assert_int_equal(steps_of[0] + steps_of[1], 0);
    assert_int_equal(send(one->peer, "x", 1, 0), 1);
    while (one->n > 0)
        turn();
    assert_int_equal(steps_of[1], 0);
    other->client->parked = true; /* only its hang-up counts now */
    assert_int_equal(scheduler_watch(scheduler, other->client), 0);
    assert_int_equal(send(other->peer, "x", 1, 0), 1);
    turn();
    assert_int_equal(steps_of[1], 0);
    shutdown(other->peer, SHUT_RDWR);
    while (other->n > 0)
        turn();
    assert_true(other->client->hung_up);
}

/* A duplicate of the descriptor that outlives the client causes no wakeups. */
static void test_a_removed_client_is_not_woken(void **state)
{
    struct asking *who = ask(GREEDY, 1);
    int copy = dup(who->client->fd);

    (void)state;
    assert_int_equal(scheduler_watch(scheduler, who->client), 0);
    scheduler_push(scheduler, who->client);
    scheduler_remove(scheduler, who->client);
    assert_int_equal(send(who->peer, "x", 1, 0), 1);
    for (unsigned i = 0; i < 5; i++)
        turn();
    assert_int_equal(steps_of[0], 0);
    assert_int_equal(who->n, 1);
    close(copy);
}

/* Users without clients are forgotten some day, and only those. */
static void test_users_are_forgotten(void **state)
{
    struct quota_user *kept = ask(MODEST, 1)->client->user;

    (void)state;
    for (uid_t uid = 5000; uid < 6000; uid++)
        (void)quota_user(quota, uid);
    assert_ptr_equal(quota_user(quota, MODEST), kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_user_waits_for_one_slice_of_another, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_other_sources_take_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expensive_requests_make_short_slices, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clients_of_a_user_take_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_serving_out_of_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events_make_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_removed_client_is_not_woken, setup, teardown),
        cmocka_unit_test_setup_teardown(test_users_are_forgotten, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
