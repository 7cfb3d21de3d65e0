/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages: created, pushed, popped and freed.
 */
#include "message.h"

struct message *message_pop(struct thread_queue *queue)
{
    return (struct message *)(void *)thread_queue_pop(queue);
}

void message_free(struct message *message)
{
    job_free(message->job);
    g_clear_pointer(&message->nameservers, g_ptr_array_unref);
    g_free(message->text);
    g_free(message);
}

void message_push(struct thread_queue *queue, const struct message *message)
{
    struct message *copy = g_memdup2(message, sizeof *message);

    thread_queue_push(queue, &copy->item);
}

void message_send(struct thread_queue *queue, enum message_kind kind, uint64_t number)
{
    message_push(queue, &(struct message){.kind = kind, .number = number});
}

struct thread_queue *message_close(struct thread_queue *queue)
{
    struct message *message;

    while (queue && (message = message_pop(queue)))
        message_free(message);
    return thread_queue_free(queue);
}
