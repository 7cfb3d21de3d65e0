/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A list: senders push to its head with compare-and-swap; the receiver takes it as a whole and
 * reverses it. So there is no lock that a low-priority thread could hold while it is not running.
 */
#include "thread_queue.h"

#include <errno.h>
#include <glib.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "happens.h"

struct thread_queue {
    _Atomic(struct thread_queue_item *) pushed; /* the newest first */
    struct thread_queue_item *taken;            /* the receiver's; the oldest first */
    atomic_uint length;
    int fd;
};

int thread_queue_new(struct thread_queue **queuep)
{
    struct thread_queue *queue;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return -errno;
    queue = g_new0(struct thread_queue, 1);
    queue->fd = fd;
    *queuep = queue;
    return 0;
}

struct thread_queue *thread_queue_free(struct thread_queue *queue)
{
    if (!queue)
        return NULL;
    close(queue->fd);
    g_free(queue);
    return NULL;
}

void thread_queue_push(struct thread_queue *queue, struct thread_queue_item *item)
{
    struct thread_queue_item *before = atomic_load_explicit(&queue->pushed, memory_order_relaxed);

    atomic_fetch_add_explicit(&queue->length, 1, memory_order_relaxed);
    do {
        item->next = before;
        HAPPENS_BEFORE(item);
    } while (!atomic_compare_exchange_weak_explicit(&queue->pushed, &before, item,
                                                    memory_order_release, memory_order_relaxed));
    /* The sender of the first item has woken the receiver, which takes all. */
    if (!before)
        (void)eventfd_write(queue->fd, 1);
}

unsigned thread_queue_length(const struct thread_queue *queue)
{
    return atomic_load_explicit(&queue->length, memory_order_relaxed);
}

int thread_queue_fd(const struct thread_queue *queue)
{
    return queue->fd;
}

void thread_queue_acknowledge(struct thread_queue *queue)
{
    eventfd_t count;

    (void)eventfd_read(queue->fd, &count);
}

static struct thread_queue_item *reverse(struct thread_queue_item *item)
{
    struct thread_queue_item *reversed = NULL;

    while (item) {
        HAPPENS_AFTER(item);
        struct thread_queue_item *next = item->next;

        item->next = reversed;
        reversed = item;
        item = next;
    }
    return reversed;
}

struct thread_queue_item *thread_queue_pop(struct thread_queue *queue)
{
    struct thread_queue_item *item;

    if (!queue->taken && atomic_load_explicit(&queue->pushed, memory_order_relaxed))
        queue->taken =
            reverse(atomic_exchange_explicit(&queue->pushed, NULL, memory_order_acquire));
    item = queue->taken;
    if (!item)
        return NULL;
    queue->taken = item->next;
    atomic_fetch_sub_explicit(&queue->length, 1, memory_order_relaxed);
    return item;
}
