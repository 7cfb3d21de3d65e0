/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An entry is in at most one queue. An event for an entry that is being listed or read is
 * remembered and handled afterwards; so a file that keeps changing cannot delay the others.
 */
#include "queue.h"

#include <errno.h>

#define WANT_DELAY 1000000 /* microseconds */

void queue_init(struct queue *queue)
{
    queue->roots = g_ptr_array_new_with_free_func(root_free);
    queue->account = account_new();
    queue->news = g_ptr_array_new();
    queue->absent = g_ptr_array_new();
}

void queue_clear(struct queue *queue)
{
    g_ptr_array_unref(queue->news);
    g_ptr_array_unref(queue->absent);
    account_unref(queue->account);
}

/* The entry that is being read is in ENTRY_READ and in no queue. */
static void leave(struct queue *queue, struct entry *entry)
{
    GQueue *entries = &queue->entries[entry->state];

    if (entry->link.prev || entry->link.next || entries->head == &entry->link)
        g_queue_unlink(entries, &entry->link);
    entry->state = ENTRY_IDLE;
}

static void enter(struct queue *queue, struct entry *entry, enum entry_state state)
{
    leave(queue, entry);
    entry->state = (uint8_t)state;
    g_queue_push_tail_link(&queue->entries[state], &entry->link);
}

static void stop_waiting(struct queue *queue, struct entry *entry)
{
    if (entry->due == 0)
        return;
    g_queue_unlink(&queue->waiting, &entry->due_link);
    entry->due = 0;
}

static void mark(struct queue *queue, struct entry *entry, enum entry_state state)
{
    if (entry->state == ENTRY_SCAN || entry->state == ENTRY_READ)
        entry->again = true;
    if (entry->state != ENTRY_IDLE && (entry->state != ENTRY_LATER || state == ENTRY_LATER))
        return;
    stop_waiting(queue, entry);
    enter(queue, entry, state);
}

void queue_mark(struct queue *queue, struct entry *entry)
{
    mark(queue, entry, queue->closed ? ENTRY_LATER : ENTRY_PROBE);
}

void queue_mark_now(struct queue *queue, struct entry *entry)
{
    mark(queue, entry, ENTRY_PROBE);
}

void queue_wait(struct queue *queue, struct entry *entry, uint64_t delay)
{
    stop_waiting(queue, entry);
    entry->due = queue_now() + delay;
    g_queue_push_tail_link(&queue->waiting, &entry->due_link);
}

void queue_wait_for_means(struct queue *queue, struct entry *entry, int error)
{
    if (error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN)
        queue_wait(queue, entry, WANT_DELAY);
}

uint64_t queue_ripen(struct queue *queue, uint64_t now)
{
    uint64_t next_due = 0;

    for (GList *link = queue->waiting.head, *next; link; link = next) {
        struct entry *entry = link->data;
        next = link->next;
        if (entry->due <= now) {
            stop_waiting(queue, entry);
            /* Its creator's close was waited for in vain: it got here in another way. */
            entry->created = false;
            queue_mark(queue, entry);
        } else if (next_due == 0 || entry->due < next_due) {
            next_due = entry->due;
        }
    }
    return next_due;
}

void queue_reopen(struct queue *queue)
{
    struct entry *entry;

    queue->closed = false;
    while ((entry = g_queue_peek_head(&queue->entries[ENTRY_LATER])))
        enter(queue, entry, ENTRY_PROBE);
}

void queue_scan(struct queue *queue, struct entry *entry)
{
    enter(queue, entry, ENTRY_SCAN);
}

void queue_read(struct queue *queue, struct entry *entry)
{
    if (entry->state != ENTRY_READ)
        queue->n_reads++;
    enter(queue, entry, ENTRY_READ);
}

void queue_done(struct queue *queue, struct entry *entry)
{
    leave(queue, entry);
    if (entry->again)
        queue_mark(queue, entry);
    entry->again = false;
}

struct entry *queue_next_probe(struct queue *queue)
{
    struct entry *entry = g_queue_peek_head(&queue->entries[ENTRY_PROBE]);

    if (entry)
        leave(queue, entry);
    return entry;
}

struct entry *queue_next_read(struct queue *queue)
{
    GList *link = g_queue_pop_head_link(&queue->entries[ENTRY_READ]);

    queue->n_read += link != NULL;
    return link ? link->data : NULL;
}

void queue_news(struct queue *queue, struct entry *entry)
{
    if (entry->has_news)
        return;
    entry->has_news = true;
    g_ptr_array_add(queue->news, entry);
}

void queue_absent(struct queue *queue, struct entry *entry)
{
    if (entry->is_absent)
        return;
    entry->is_absent = true;
    g_ptr_array_add(queue->absent, entry);
}

void queue_for_each(const struct queue *queue, void (*each)(void *userdata, struct entry *entry),
                    void *userdata)
{
    for (unsigned i = 0; i < queue->roots->len; i++)
        entry_for_each(((const struct root *)queue->roots->pdata[i])->entry, each, userdata);
}

void queue_forget(struct queue *queue, struct entry *entry)
{
    stop_waiting(queue, entry);
    leave(queue, entry);
    if (entry->has_news)
        g_ptr_array_remove(queue->news, entry);
    if (entry->is_absent)
        g_ptr_array_remove(queue->absent, entry);
}
