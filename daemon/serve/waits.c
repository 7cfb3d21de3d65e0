/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waits: two queues and one timer. All clients in one queue wait equally long, so each queue is
 * sorted by itself and its head is always the next.
 */
#include "waits.h"

#define MSEC ((uint64_t)1000)
#define WAITS_PATIENCE (5000 * MSEC)
#define WAITS_PENDING_EVERY (KUBESVC_PENDING_EVERY_MS * MSEC)
#define WAITS_PENDING_MAX (KUBESVC_PENDING_MAX_MS * MSEC)

/* Clients in one turn of the event loop, so that none takes long. */
#define WAITS_BATCH 64u

struct waits {
    sd_event *event;
    struct waits_handler handler;
    GQueue waiting, parked;
    sd_event_source *timer, *retrying;
    GList *cursor;  /* in `parked`: the next to retry; NULL: the first */
    size_t n_retry; /* so many are still to be retried */
};

static uint64_t waits_now(const struct waits *waits)
{
    uint64_t now = 0;

    (void)sd_event_now(waits->event, CLOCK_MONOTONIC, &now);
    return now;
}

static uint64_t queue_due(const GQueue *queue)
{
    return queue->head ? ((const struct client *)queue->head->data)->due : UINT64_MAX;
}

/* Sets the timer to the first client whose time comes, unless it will fire before anyhow. */
static void waits_arm(struct waits *waits)
{
    uint64_t due = MIN(queue_due(&waits->waiting), queue_due(&waits->parked)), set = 0;
    int enabled = SD_EVENT_OFF;

    if (due == UINT64_MAX)
        return;
    (void)sd_event_source_get_enabled(waits->timer, &enabled);
    (void)sd_event_source_get_time(waits->timer, &set);
    if (enabled != SD_EVENT_OFF && set <= due)
        return;
    (void)sd_event_source_set_time(waits->timer, due);
    (void)sd_event_source_set_enabled(waits->timer, SD_EVENT_ONESHOT);
}

void waits_remove(struct waits *waits, struct client *client)
{
    if (!client->queue)
        return;
    if (waits->cursor == &client->turn)
        waits->cursor = client->turn.next;
    g_queue_unlink(client->queue, &client->turn);
    client->queue = NULL;
}

static void waits_push(struct waits *waits, struct client *client, GQueue *queue, uint64_t due)
{
    waits_remove(waits, client);
    client->queue = queue;
    client->due = due;
    g_queue_push_tail_link(queue, &client->turn);
    waits_arm(waits);
}

void waits_for_peer(struct waits *waits, struct client *client)
{
    waits_push(waits, client, &waits->waiting, waits_now(waits) + WAITS_PATIENCE);
}

void waits_for_answer(struct waits *waits, struct client *client)
{
    client->parked_at = waits_now(waits);
    waits_push(waits, client, &waits->parked, client->parked_at + WAITS_PENDING_EVERY);
}

static int waits_on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct waits *waits = userdata;
    const struct waits_handler *handler = &waits->handler;
    uint64_t now = waits_now(waits);

    (void)source;
    (void)usec;
    for (unsigned i = 0; i < WAITS_BATCH && queue_due(&waits->parked) <= now; i++) {
        struct client *client = waits->parked.head->data;

        waits_push(waits, client, &waits->parked, now + WAITS_PENDING_EVERY);
        if (now - client->parked_at < WAITS_PENDING_MAX)
            handler->remind(handler->userdata, client);
        else
            handler->expire(handler->userdata, client);
    }
    for (unsigned i = 0; i < WAITS_BATCH && queue_due(&waits->waiting) <= now; i++) {
        struct client *client = waits->waiting.head->data;

        waits_remove(waits, client);
        handler->overdue(handler->userdata, client);
    }
    waits_arm(waits);
    return 0;
}

static int waits_on_retry(sd_event_source *source, void *userdata)
{
    struct waits *waits = userdata;

    for (unsigned i = 0; i < WAITS_BATCH && waits->n_retry > 0; i++, waits->n_retry--) {
        GList *link = waits->cursor ? waits->cursor : waits->parked.head;

        if (!link)
            return 0;
        waits->cursor = link->next;
        waits->handler.retry(waits->handler.userdata, link->data);
    }
    return sd_event_source_set_enabled(source,
                                       waits->n_retry > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

void waits_retry(struct waits *waits)
{
    /* On from where the last round has got to: however often this is called, all have their turn.
     */
    waits->n_retry = waits->parked.length;
    if (waits->n_retry > 0)
        (void)sd_event_source_set_enabled(waits->retrying, SD_EVENT_ONESHOT);
}

int waits_new(struct waits **waitsp, sd_event *event, const struct waits_handler *handler)
{
    struct waits *waits = g_new(struct waits, 1);
    int r;

    *waits = (struct waits){
        .event = sd_event_ref(event),
        .handler = *handler,
        .waiting = G_QUEUE_INIT,
        .parked = G_QUEUE_INIT,
    };
    r = sd_event_add_time(event, &waits->timer, CLOCK_MONOTONIC, 0, MSEC, waits_on_timer, waits);
    if (r >= 0)
        r = sd_event_source_set_enabled(waits->timer, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_defer(event, &waits->retrying, waits_on_retry, waits);
    if (r >= 0)
        r = sd_event_source_set_enabled(waits->retrying, SD_EVENT_OFF);
    if (r < 0) {
        waits_free(waits);
        return r;
    }
    *waitsp = waits;
    return 0;
}

struct waits *waits_free(struct waits *waits)
{
    if (!waits)
        return NULL;
    sd_event_source_disable_unref(waits->timer);
    sd_event_source_disable_unref(waits->retrying);
    sd_event_unref(waits->event);
    g_free(waits);
    return NULL;
}

size_t waits_parked(const struct waits *waits)
{
    return waits->parked.length;
}

struct client *waits_any(const struct waits *waits)
{
    const GList *link = waits->waiting.head ? waits->waiting.head : waits->parked.head;

    return link ? link->data : NULL;
}
