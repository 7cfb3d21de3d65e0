/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A queue from one thread to another, with an eventfd that wakes the receiver. Neither side ever
 * waits for the other.
 */
#pragma once

#include <stdbool.h>

#include "error.h"

struct thread_queue;

/* The head of what is sent. */
struct thread_queue_item {
    struct thread_queue_item *next;
};

MUST_USE int thread_queue_new(struct thread_queue **queuep);
struct thread_queue *
thread_queue_free(struct thread_queue *queue); /* must be empty; returns NULL */

/* From any thread. Takes ownership of the item. */
void thread_queue_push(struct thread_queue *queue, struct thread_queue_item *item);

/* Approximate number of items. */
unsigned thread_queue_length(const struct thread_queue *queue);

/* For the receiver. Readable when something was pushed, until thread_queue_acknowledge. */
int thread_queue_fd(const struct thread_queue *queue);
void thread_queue_acknowledge(struct thread_queue *queue);
struct thread_queue_item *
thread_queue_pop(struct thread_queue *queue); /* the oldest; NULL if empty */
