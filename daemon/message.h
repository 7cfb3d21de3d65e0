/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages between the server thread and the loader thread. Besides the two queues that carry them,
 * the threads share one word, the root of the published snapshot.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "daemon/inspect/job.h"
#include "lib/util/thread_queue.h"

enum message_kind {
    /* To the loader thread. */
    MESSAGE_RELOAD, /* number: counted from 1; reread configuration and manifests */
    MESSAGE_PASSED, /* number: of MESSAGE_RETIRED, every view taken before is done with */
    MESSAGE_END,    /* it is to end */
    MESSAGE_REST,   /* no program follows backends any more */
    /* To the loader thread, and back when it is done. */
    MESSAGE_REPORT, /* job */
    MESSAGE_PING,   /* nothing but a sign of life */
    /* To the server thread. */
    MESSAGE_READY,    /* number: objects that are served; reload: the last that has ended */
    MESSAGE_SERVERS,  /* nameservers: from now on */
    MESSAGE_RETIRED,  /* number: of the writer's, see snapshot_writer.h */
    MESSAGE_CHANGE,   /* text, time: an event for watching clients */
    MESSAGE_BACKENDS, /* text: lines for those that follow backends */
    MESSAGE_FAILED,   /* error: the loader thread has ended */
};

struct message {
    struct thread_queue_item item; /* first, so that an item is a message */
    enum message_kind kind;
    int error;       /* negative errno */
    uint64_t number; /* or time: CLOCK_REALTIME, microseconds */
    uint64_t reload; /* number of a MESSAGE_RELOAD; 0: none */
    struct job *job;
    GPtrArray *nameservers; /* char * */
    char *text;
};

/* The next one of a queue, NULL if empty; and the end of a queue, with its contents. */
struct message *message_pop(struct thread_queue *queue);
void message_free(struct message *message);

void message_push(struct thread_queue *queue,
                  const struct message *message /* takes ownership of its contents */);

/* One that has nothing but a number, or not even that. */
void message_send(struct thread_queue *queue, enum message_kind kind, uint64_t number);

/* Frees what is left in a queue, and the queue; returns NULL. */
struct thread_queue *message_close(struct thread_queue *queue);
