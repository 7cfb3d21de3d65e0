/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An entry is in at most one queue. An event for an entry that is being listed or read is
 * remembered and handled afterwards; so a file that keeps changing cannot delay the others.
 */
#include "queue.h"

#include <errno.h>
#include <time.h>

#define WANT_DELAY 1000000 /* microseconds */

uint64_t queue_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void queue_init(struct queue *list)
{
    g_queue_init(&list->probes);
    g_queue_init(&list->later);
    g_queue_init(&list->scans);
    g_queue_init(&list->reads);
    g_queue_init(&list->waiting);
    list->news = g_ptr_array_new();
    list->absent = g_ptr_array_new();
}

void queue_clear(struct queue *list)
{
    g_ptr_array_unref(list->news);
    g_ptr_array_unref(list->absent);
}

static GQueue *queue_of(struct queue *list, enum entry_state state)
{
    switch (state) {
    case ENTRY_PROBE: return &list->probes;
    case ENTRY_LATER: return &list->later;
    case ENTRY_SCAN: return &list->scans;
    case ENTRY_READ: return &list->reads;
    case ENTRY_IDLE: break;
    }
    return NULL;
}

/* The entry that is being read is in ENTRY_READ and in no queue. */
static bool is_queued(const struct entry *entry, const GQueue *queue)
{
    return entry->link.prev || entry->link.next || queue->head == &entry->link;
}

static void leave(struct queue *list, struct entry *entry)
{
    GQueue *queue = queue_of(list, entry->state);

    if (queue && is_queued(entry, queue))
        g_queue_unlink(queue, &entry->link);
    entry->state = ENTRY_IDLE;
}

static void enter(struct queue *list, struct entry *entry, enum entry_state state)
{
    leave(list, entry);
    entry->state = (uint8_t)state;
    g_queue_push_tail_link(queue_of(list, state), &entry->link);
}

static void stop_waiting(struct queue *list, struct entry *entry)
{
    if (entry->due == 0)
        return;
    g_queue_unlink(&list->waiting, &entry->due_link);
    entry->due = 0;
}

static void mark(struct queue *list, struct entry *entry, enum entry_state state)
{
    switch ((enum entry_state)entry->state) {
    case ENTRY_PROBE: return;
    case ENTRY_LATER:
        if (state == ENTRY_LATER)
            return;
        break;
    case ENTRY_SCAN:
    case ENTRY_READ: entry->again = true; return;
    case ENTRY_IDLE: break;
    }
    stop_waiting(list, entry);
    enter(list, entry, state);
}

void queue_mark(struct queue *list, struct entry *entry)
{
    mark(list, entry, list->closed ? ENTRY_LATER : ENTRY_PROBE);
}

void queue_mark_now(struct queue *list, struct entry *entry)
{
    mark(list, entry, ENTRY_PROBE);
}

void queue_wait(struct queue *list, struct entry *entry, uint64_t delay)
{
    stop_waiting(list, entry);
    entry->due = queue_now() + delay;
    g_queue_push_tail_link(&list->waiting, &entry->due_link);
}

void queue_wait_for_means(struct queue *list, struct entry *entry, int error)
{
    if (error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN)
        queue_wait(list, entry, WANT_DELAY);
}

uint64_t queue_ripen(struct queue *list, uint64_t now)
{
    uint64_t next_due = 0;

    for (GList *link = list->waiting.head, *next; link; link = next) {
        struct entry *entry = link->data;
        next = link->next;
        if (entry->due <= now) {
            stop_waiting(list, entry);
            /* Its creator's close was waited for in vain: it got here in another way. */
            entry->created = false;
            queue_mark(list, entry);
        } else if (next_due == 0 || entry->due < next_due) {
            next_due = entry->due;
        }
    }
    return next_due;
}

void queue_reopen(struct queue *list)
{
    struct entry *entry;

    list->closed = false;
    while ((entry = g_queue_peek_head(&list->later)))
        enter(list, entry, ENTRY_PROBE);
}

void queue_scan(struct queue *list, struct entry *entry)
{
    enter(list, entry, ENTRY_SCAN);
}

void queue_read(struct queue *list, struct entry *entry)
{
    if (entry->state != ENTRY_READ)
        list->n_reads++;
    enter(list, entry, ENTRY_READ);
}

void queue_done(struct queue *list, struct entry *entry)
{
    leave(list, entry);
    if (entry->again)
        queue_mark(list, entry);
    entry->again = false;
}

struct entry *queue_next_probe(struct queue *list)
{
    struct entry *entry = g_queue_peek_head(&list->probes);

    if (entry)
        leave(list, entry);
    return entry;
}

struct entry *queue_next_read(struct queue *list)
{
    GList *link = g_queue_pop_head_link(&list->reads);

    list->n_read += link != NULL;
    return link ? link->data : NULL;
}

void queue_news(struct queue *list, struct entry *entry)
{
    if (entry->has_news)
        return;
    entry->has_news = true;
    g_ptr_array_add(list->news, entry);
}

void queue_absent(struct queue *list, struct entry *entry)
{
    if (entry->is_absent)
        return;
    entry->is_absent = true;
    g_ptr_array_add(list->absent, entry);
}

void queue_forget(struct queue *list, struct entry *entry)
{
    stop_waiting(list, entry);
    leave(list, entry);
    if (entry->has_news)
        g_ptr_array_remove(list->news, entry);
    if (entry->is_absent)
        g_ptr_array_remove(list->absent, entry);
}
