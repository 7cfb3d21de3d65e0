/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Timeouts: two queues and one timer. All clients in one queue wait equally long, so each queue is
 * sorted by itself and its head is always the next.
 */
#include "timeouts.h"

#include "lib/util/timer.h"

#define MSEC ((uint64_t)1000)
#define PEER_TIMEOUT (5000 * MSEC)
#define PENDING_EVERY (KUBESVC_PENDING_EVERY_MS * MSEC)
#define PENDING_MAX (KUBESVC_PENDING_MAX_MS * MSEC)

/* Clients per iteration of the event loop, to keep it short. */
#define BATCH 64u

struct timeouts {
    sd_event *event;
    struct timeouts_handler handler;
    GQueue waiting, parked;
    sd_event_source *timer, *retrying;
    GList *cursor;  /* in `parked`: the next to retry; NULL: the first */
    size_t n_retry; /* number still to be retried */
};

static uint64_t timeouts_now(const struct timeouts *timeouts)
{
    uint64_t now = 0;

    (void)sd_event_now(timeouts->event, CLOCK_MONOTONIC, &now);
    return now;
}

static uint64_t queue_due(const GQueue *queue)
{
    return queue->head ? ((const struct client *)queue->head->data)->due : UINT64_MAX;
}

/* Sets the timer for the first client to expire, unless it fires earlier anyway. */
static void timeouts_arm(struct timeouts *timeouts)
{
    uint64_t due = MIN(queue_due(&timeouts->waiting), queue_due(&timeouts->parked)), set = 0;
    int enabled = SD_EVENT_OFF;

    if (due == UINT64_MAX)
        return;
    (void)sd_event_source_get_enabled(timeouts->timer, &enabled);
    (void)sd_event_source_get_time(timeouts->timer, &set);
    if (enabled != SD_EVENT_OFF && set <= due)
        return;
    (void)sd_event_source_set_time(timeouts->timer, due);
    (void)sd_event_source_set_enabled(timeouts->timer, SD_EVENT_ONESHOT);
}

void timeouts_remove(struct timeouts *timeouts, struct client *client)
{
    if (!client->queue)
        return;
    if (timeouts->cursor == &client->turn)
        timeouts->cursor = client->turn.next;
    g_queue_unlink(client->queue, &client->turn);
    client->queue = NULL;
}

static void timeouts_push(struct timeouts *timeouts, struct client *client, GQueue *queue,
                          uint64_t due)
{
    timeouts_remove(timeouts, client);
    client->queue = queue;
    client->due = due;
    g_queue_push_tail_link(queue, &client->turn);
    timeouts_arm(timeouts);
}

void timeouts_for_peer(struct timeouts *timeouts, struct client *client)
{
    timeouts_push(timeouts, client, &timeouts->waiting, timeouts_now(timeouts) + PEER_TIMEOUT);
}

void timeouts_for_answer(struct timeouts *timeouts, struct client *client)
{
    client->parked_at = timeouts_now(timeouts);
    timeouts_push(timeouts, client, &timeouts->parked, client->parked_at + PENDING_EVERY);
}

static int timeouts_on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct timeouts *timeouts = userdata;
    const struct timeouts_handler *handler = &timeouts->handler;
    uint64_t now = timeouts_now(timeouts);

    (void)source, (void)usec;
    for (unsigned i = 0; i < BATCH && queue_due(&timeouts->parked) <= now; i++) {
        struct client *client = timeouts->parked.head->data;

        timeouts_push(timeouts, client, &timeouts->parked, now + PENDING_EVERY);
        if (now - client->parked_at < PENDING_MAX)
            handler->send_pending(handler->userdata, client);
        else
            handler->expire(handler->userdata, client);
    }
    for (unsigned i = 0; i < BATCH && queue_due(&timeouts->waiting) <= now; i++) {
        struct client *client = timeouts->waiting.head->data;

        timeouts_remove(timeouts, client);
        handler->overdue(handler->userdata, client);
    }
    timeouts_arm(timeouts);
    return 0;
}

static int timeouts_on_retry(sd_event_source *source, void *userdata)
{
    struct timeouts *timeouts = userdata;

    for (unsigned i = 0; i < BATCH && timeouts->n_retry > 0; i++, timeouts->n_retry--) {
        GList *link = timeouts->cursor ? timeouts->cursor : timeouts->parked.head;

        if (!link)
            return 0;
        timeouts->cursor = link->next;
        timeouts->handler.retry(timeouts->handler.userdata, link->data);
    }
    return sd_event_source_set_enabled(source,
                                       timeouts->n_retry > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

void timeouts_retry(struct timeouts *timeouts)
{
    /* Continues where the last round stopped: however often this is called, all get their turn. */
    timeouts->n_retry = timeouts->parked.length;
    if (timeouts->n_retry > 0)
        (void)sd_event_source_set_enabled(timeouts->retrying, SD_EVENT_ONESHOT);
}

int timeouts_new(struct timeouts **timeoutsp, sd_event *event,
                 const struct timeouts_handler *handler)
{
    struct timeouts *timeouts = g_new(struct timeouts, 1);

    *timeouts = (struct timeouts){
        .event = sd_event_ref(event),
        .handler = *handler,
        .waiting = G_QUEUE_INIT,
        .parked = G_QUEUE_INIT,
    };
    int r = timer_new(&timeouts->timer, event, MSEC, timeouts_on_timer, timeouts);
    if (r >= 0)
        r = sd_event_add_defer(event, &timeouts->retrying, timeouts_on_retry, timeouts);
    if (r >= 0)
        r = sd_event_source_set_enabled(timeouts->retrying, SD_EVENT_OFF);
    if (r < 0) {
        timeouts_free(timeouts);
        return r;
    }
    *timeoutsp = timeouts;
    return 0;
}

struct timeouts *timeouts_free(struct timeouts *timeouts)
{
    if (!timeouts)
        return NULL;
    sd_event_source_disable_unref(timeouts->timer);
    sd_event_source_disable_unref(timeouts->retrying);
    sd_event_unref(timeouts->event);
    g_free(timeouts);
    return NULL;
}

size_t timeouts_parked(const struct timeouts *timeouts)
{
    return timeouts->parked.length;
}

struct client *timeouts_any(const struct timeouts *timeouts)
{
    const GList *link = timeouts->waiting.head ? timeouts->waiting.head : timeouts->parked.head;

    return link ? link->data : NULL;
}
