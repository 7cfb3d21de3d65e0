/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scheduler: a queue of ready clients for each user, and a ring of the users that have any.
 *
 * The event loop dispatches its sources in turn. One of them is this: it serves the user at the
 * head of the ring for a slice of time, one step for each client in turn, and moves the user to the
 * end. So a user waits for one slice of each other user, however many connections these have and
 * whatever they send, and in between the loop handles everything else.
 *
 * Clients are watched by an epoll instance of their own, edge-triggered, because the event loop
 * would ask the kernel again after each of a thousand events, and because collecting events must
 * not cost what serving them does: all of them are collected before the next step.
 */
#include "scheduler.h"

#include <errno.h>
#include <glib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SLICE_USEC 200u
#define SLICE_STEPS 64u
#define EVENTS_MAX 256

struct scheduler {
    sd_event *event;
    struct scheduler_handler handler;
    int epoll;
    int readable; /* at any time: sd-event would serve a deferred source before all others */
    sd_event_source *collecting, *serving;
    GQueue users; /* those with a ready client, next one first */
};

static uint64_t monotonic_now(void)
{
    return (uint64_t)g_get_monotonic_time();
}

void scheduler_push(struct scheduler *scheduler, struct client *client)
{
    struct quota_user *user = client->user;

    if (client->is_ready)
        return;
    client->is_ready = true;
    if (!client->parked)
        (void)sd_event_now(scheduler->event, CLOCK_MONOTONIC, &client->since);
    if (g_queue_is_empty(&user->ready)) {
        g_queue_push_tail_link(&scheduler->users, &user->turn);
        (void)sd_event_source_set_enabled(scheduler->serving, SD_EVENT_ON);
    }
    g_queue_push_tail_link(&user->ready, &client->ready);
}

static void scheduler_unready(struct scheduler *scheduler, struct client *client)
{
    struct quota_user *user = client->user;

    if (!client->is_ready)
        return;
    client->is_ready = false;
    g_queue_unlink(&user->ready, &client->ready);
    if (g_queue_is_empty(&user->ready))
        g_queue_unlink(&scheduler->users, &user->turn);
}

int scheduler_watch(struct scheduler *scheduler, struct client *client)
{
    uint32_t events = client->rest ? EPOLLOUT : client->parked ? 0 : EPOLLIN;
    struct epoll_event event = {.events = events | EPOLLET, .data.ptr = client};

    /* Earlier readiness is reported again by the next edge. */
    if (client->watched == event.events)
        return 0;
    if (epoll_ctl(scheduler->epoll, client->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, client->fd,
                  &event) < 0)
        return -errno;
    client->watched = event.events;
    return 0;
}

void scheduler_remove(struct scheduler *scheduler, struct client *client)
{
    scheduler_unready(scheduler, client);
    /* Closing is not enough: another process may have a duplicate of the descriptor. */
    if (client->watched)
        (void)epoll_ctl(scheduler->epoll, EPOLL_CTL_DEL, client->fd, NULL);
    client->watched = 0;
}

static int scheduler_on_events(sd_event_source *source, int epoll, uint32_t revents, void *userdata)
{
    struct epoll_event events[EVENTS_MAX];
    int n;

    (void)source, (void)revents;
    do {
        n = epoll_wait(epoll, events, EVENTS_MAX, 0);
        for (int i = 0; i < n; i++) {
            struct client *client = events[i].data.ptr;

            client->hung_up = client->hung_up || events[i].events & (EPOLLHUP | EPOLLERR);
            scheduler_push(userdata, client);
        }
    } while (n == EVENTS_MAX);
    return 0;
}

/* No user is freed while this runs (quota.h). */
static int scheduler_on_turn(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct scheduler *scheduler = userdata;
    const struct scheduler_handler *handler = &scheduler->handler;
    GList *turn = scheduler->users.head;
    struct quota_user *user;
    uint64_t end;

    (void)fd, (void)revents;
    if (!turn)
        return sd_event_source_set_enabled(source, SD_EVENT_OFF);
    user = turn->data;
    end = handler->now() + SLICE_USEC;
    for (unsigned i = 0; i < SLICE_STEPS && !g_queue_is_empty(&user->ready); i++) {
        struct client *client = user->ready.head->data;

        scheduler_unready(scheduler, client);
        handler->serve(handler->userdata, client);
        if (handler->now() >= end)
            break;
    }
    if (!g_queue_is_empty(&user->ready)) {
        g_queue_unlink(&scheduler->users, turn);
        g_queue_push_tail_link(&scheduler->users, turn);
    }
    return 0;
}

bool scheduler_begin(const struct scheduler *scheduler, struct quota_user *user, uint64_t *beganp)
{
    uint64_t iteration = 0;

    (void)sd_event_get_iteration(scheduler->event, &iteration);
    if (user->iteration != iteration) {
        user->iteration = iteration;
        user->spent = 0;
    }
    *beganp = scheduler->handler.now();
    return g_queue_is_empty(&user->ready) && user->spent < SLICE_USEC;
}

void scheduler_end(const struct scheduler *scheduler, struct quota_user *user, uint64_t began)
{
    user->spent += scheduler->handler.now() - began;
}

int scheduler_new(struct scheduler **schedulerp, sd_event *event,
                  const struct scheduler_handler *handler)
{
    struct scheduler *scheduler = g_new(struct scheduler, 1);

    *scheduler = (struct scheduler){
        .event = sd_event_ref(event),
        .handler = *handler,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .readable = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK),
        .users = G_QUEUE_INIT,
    };
    if (!scheduler->handler.now)
        scheduler->handler.now = monotonic_now;
    int r = scheduler->epoll < 0 || scheduler->readable < 0 ? -errno : 0;
    if (r >= 0)
        r = sd_event_add_io(event, &scheduler->collecting, scheduler->epoll, EPOLLIN,
                            scheduler_on_events, scheduler);
    if (r >= 0)
        r = sd_event_add_io(event, &scheduler->serving, scheduler->readable, EPOLLIN,
                            scheduler_on_turn, scheduler);
    if (r >= 0)
        r = sd_event_source_set_enabled(scheduler->serving, SD_EVENT_OFF);
    if (r < 0) {
        scheduler_free(scheduler);
        return r;
    }
    *schedulerp = scheduler;
    return 0;
}

struct scheduler *scheduler_free(struct scheduler *scheduler)
{
    if (!scheduler)
        return NULL;
    sd_event_source_disable_unref(scheduler->collecting);
    sd_event_source_disable_unref(scheduler->serving);
    if (scheduler->epoll >= 0)
        close(scheduler->epoll);
    if (scheduler->readable >= 0)
        close(scheduler->readable);
    sd_event_unref(scheduler->event);
    g_free(scheduler);
    return NULL;
}
