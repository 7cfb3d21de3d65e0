/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A place is in at most one queue. An event for a place that is being listed or read is remembered
 * and handled afterwards; so a file that keeps changing cannot delay the others.
 */
#include "worklist.h"

#include <errno.h>
#include <time.h>

#define WANT_DELAY 1000000 /* microseconds */

uint64_t worklist_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void worklist_init(struct worklist *list)
{
    g_queue_init(&list->look);
    g_queue_init(&list->later);
    g_queue_init(&list->scans);
    g_queue_init(&list->reads);
    g_queue_init(&list->waiting);
    list->news = g_ptr_array_new();
    list->absent = g_ptr_array_new();
}

void worklist_clear(struct worklist *list)
{
    g_ptr_array_unref(list->news);
    g_ptr_array_unref(list->absent);
}

static GQueue *queue_of(struct worklist *list, enum place_state state)
{
    switch (state) {
    case PLACE_LOOK: return &list->look;
    case PLACE_LATER: return &list->later;
    case PLACE_SCAN: return &list->scans;
    case PLACE_READ: return &list->reads;
    case PLACE_IDLE: break;
    }
    return NULL;
}

/* The place that is being read is in PLACE_READ and in no queue. */
static bool is_queued(const struct place *place, const GQueue *queue)
{
    return place->link.prev || place->link.next || queue->head == &place->link;
}

static void leave(struct worklist *list, struct place *place)
{
    GQueue *queue = queue_of(list, place->state);

    if (queue && is_queued(place, queue))
        g_queue_unlink(queue, &place->link);
    place->state = PLACE_IDLE;
}

static void enter(struct worklist *list, struct place *place, enum place_state state)
{
    leave(list, place);
    place->state = (uint8_t)state;
    g_queue_push_tail_link(queue_of(list, state), &place->link);
}

static void stop_waiting(struct worklist *list, struct place *place)
{
    if (place->due == 0)
        return;
    g_queue_unlink(&list->waiting, &place->due_link);
    place->due = 0;
}

static void mark(struct worklist *list, struct place *place, enum place_state state)
{
    switch ((enum place_state)place->state) {
    case PLACE_LOOK: return;
    case PLACE_LATER:
        if (state == PLACE_LATER)
            return;
        break;
    case PLACE_SCAN:
    case PLACE_READ: place->again = true; return;
    case PLACE_IDLE: break;
    }
    stop_waiting(list, place);
    enter(list, place, state);
}

void worklist_mark(struct worklist *list, struct place *place)
{
    mark(list, place, list->closed ? PLACE_LATER : PLACE_LOOK);
}

void worklist_mark_now(struct worklist *list, struct place *place)
{
    mark(list, place, PLACE_LOOK);
}

void worklist_wait(struct worklist *list, struct place *place, uint64_t delay)
{
    stop_waiting(list, place);
    place->due = worklist_now() + delay;
    g_queue_push_tail_link(&list->waiting, &place->due_link);
}

void worklist_wait_for_means(struct worklist *list, struct place *place, int error)
{
    if (error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN)
        worklist_wait(list, place, WANT_DELAY);
}

uint64_t worklist_ripen(struct worklist *list, uint64_t now)
{
    uint64_t next_due = 0;

    for (GList *link = list->waiting.head, *next; link; link = next) {
        struct place *place = link->data;
        next = link->next;
        if (place->due <= now) {
            stop_waiting(list, place);
            /* Its creator's close was waited for in vain: it got here in another way. */
            place->created = false;
            worklist_mark(list, place);
        } else if (next_due == 0 || place->due < next_due) {
            next_due = place->due;
        }
    }
    return next_due;
}

void worklist_reopen(struct worklist *list)
{
    struct place *place;

    list->closed = false;
    while ((place = g_queue_peek_head(&list->later)))
        enter(list, place, PLACE_LOOK);
}

void worklist_scan(struct worklist *list, struct place *place)
{
    enter(list, place, PLACE_SCAN);
}

void worklist_read(struct worklist *list, struct place *place)
{
    if (place->state != PLACE_READ)
        list->n_reads++;
    enter(list, place, PLACE_READ);
}

void worklist_done(struct worklist *list, struct place *place)
{
    leave(list, place);
    if (place->again)
        worklist_mark(list, place);
    place->again = false;
}

struct place *worklist_next_look(struct worklist *list)
{
    struct place *place = g_queue_peek_head(&list->look);

    if (place)
        leave(list, place);
    return place;
}

struct place *worklist_next_read(struct worklist *list)
{
    GList *link = g_queue_pop_head_link(&list->reads);

    list->n_read += link != NULL;
    return link ? link->data : NULL;
}

void worklist_news(struct worklist *list, struct place *place)
{
    if (place->has_news)
        return;
    place->has_news = true;
    g_ptr_array_add(list->news, place);
}

void worklist_absent(struct worklist *list, struct place *place)
{
    if (place->is_absent)
        return;
    place->is_absent = true;
    g_ptr_array_add(list->absent, place);
}

void worklist_forget(struct worklist *list, struct place *place)
{
    stop_waiting(list, place);
    leave(list, place);
    if (place->has_news)
        g_ptr_array_remove(list->news, place);
    if (place->is_absent)
        g_ptr_array_remove(list->absent, place);
}
