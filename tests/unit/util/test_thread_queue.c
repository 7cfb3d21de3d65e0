/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The queue between two threads: whatever is pushed comes out once, in order, and the receiver is
 * woken for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib.h>
#include <poll.h>

#include "lib/util/thread_queue.h"

#define SENDERS 3u
#define EACH 20000u

struct item {
    struct thread_queue_item head;
    unsigned sender, number;
};

struct sender {
    struct thread_queue *queue;
    unsigned number;
};

static void push(struct thread_queue *queue, unsigned sender, unsigned number)
{
    struct item *item = g_new(struct item, 1);

    item->sender = sender;
    item->number = number;
    thread_queue_push(queue, &item->head);
}

static bool is_readable(const struct thread_queue *queue, int milliseconds)
{
    struct pollfd pollfd = {.fd = thread_queue_fd(queue), .events = POLLIN};

    return poll(&pollfd, 1, milliseconds) == 1;
}

static void items_come_out_in_order(void **state)
{
    struct thread_queue *queue;

    (void)state;
    assert_int_equal(thread_queue_new(&queue), 0);
    assert_null(thread_queue_pop(queue));
    assert_false(is_readable(queue, 0));
    for (unsigned i = 0; i < 3; i++)
        push(queue, 0, i);
    assert_int_equal(thread_queue_length(queue), 3);
    assert_true(is_readable(queue, 0));
    thread_queue_acknowledge(queue);
    for (unsigned i = 0; i < 3; i++) {
        struct item *item = (struct item *)(void *)thread_queue_pop(queue);
        assert_int_equal(item->number, i);
        g_free(item);
        push(queue, 0, i + 3); /* what comes meanwhile comes behind */
    }
    for (unsigned i = 3; i < 6; i++) {
        struct item *item = (struct item *)(void *)thread_queue_pop(queue);
        assert_int_equal(item->number, i);
        g_free(item);
    }
    assert_null(thread_queue_pop(queue));
    assert_int_equal(thread_queue_length(queue), 0);
    assert_null(thread_queue_free(queue));
}

static void *send_all(void *data)
{
    const struct sender *sender = data;

    for (unsigned i = 0; i < EACH; i++)
        push(sender->queue, sender->number, i);
    return NULL;
}

/* The receiver sleeps whenever there is nothing: were it not woken, the test would not end. */
static void nothing_is_lost_between_threads(void **state)
{
    struct thread_queue *queue;
    struct sender senders[SENDERS];
    GThread *threads[SENDERS];
    unsigned next[SENDERS] = {0}, received = 0;

    (void)state;
    assert_int_equal(thread_queue_new(&queue), 0);
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){queue, i};
        threads[i] = g_thread_new("sender", send_all, &senders[i]);
    }
    while (received < SENDERS * EACH) {
        struct item *item;

        assert_true(is_readable(queue, -1));
        thread_queue_acknowledge(queue);
        while ((item = (struct item *)(void *)thread_queue_pop(queue))) {
            assert_int_equal(item->number, next[item->sender]++);
            received++;
            g_free(item);
        }
    }
    for (unsigned i = 0; i < SENDERS; i++)
        g_thread_join(threads[i]);
    assert_null(thread_queue_pop(queue));
    assert_int_equal(thread_queue_length(queue), 0);
    thread_queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order),
        cmocka_unit_test(nothing_is_lost_between_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
