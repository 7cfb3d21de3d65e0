/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The multi interface with epoll: libcurl states which descriptors and which time it waits for, and
 * is notified. The timer is exact: sd-event's default accuracy of 250 ms would become the delay of
 * every change.
 *
 * A transfer that times out may do so because of its connection, which libcurl goes on using for
 * others as long as something at its other end, such as a proxy, acknowledges what is sent. So no
 * transfer begins on the connections of that time; they are closed when their last one is over.
 */
#include "transfers.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "lib/util/timer.h"

#define TIMER_ACCURACY 1u /* microseconds */

/* Transfers that share connections. */
struct pool {
    struct transfers *transfers;
    CURLM *multi;
    sd_event_source *timer;
    unsigned n;
    bool busy; /* in libcurl, or with its results */
};

struct transfers {
    sd_event *event;
    struct pool *pool;   /* for new ones; NULL: there is none yet */
    GHashTable *handles; /* CURL * -> struct pool */
    transfers_done done;
    void *userdata;
};

static void pool_free(struct pool *pool)
{
    if (pool->multi)
        (void)curl_multi_cleanup(pool->multi);
    sd_event_source_disable_unref(pool->timer);
    g_free(pool);
}

static void pool_free_if_over(struct pool *pool)
{
    if (pool->n == 0 && !pool->busy && pool != pool->transfers->pool)
        pool_free(pool);
}

static void take_results(struct pool *pool)
{
    struct transfers *transfers = pool->transfers;
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(pool->multi, &left))) {
        CURL *handle = message->easy_handle;
        CURLcode result = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        if (result == CURLE_OPERATION_TIMEDOUT && pool == transfers->pool)
            transfers->pool = NULL;
        transfers_remove(transfers, handle);
        transfers->done(transfers->userdata, handle, result);
    }
}

static void act(struct pool *pool, curl_socket_t fd, int what)
{
    int running;

    pool->busy = true;
    (void)curl_multi_socket_action(pool->multi, fd, what, &running);
    take_results(pool);
    pool->busy = false;
    pool_free_if_over(pool);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    (void)source;
    act(userdata, fd,
        (revents & EPOLLIN ? CURL_CSELECT_IN : 0) | (revents & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
            (revents & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source, (void)usec;
    act(userdata, CURL_SOCKET_TIMEOUT, 0);
    return 0;
}

static int set_timer(CURLM *multi, long milliseconds, void *userdata)
{
    struct pool *pool = userdata;

    (void)multi;
    if (milliseconds >= 0)
        (void)sd_event_source_set_time_relative(pool->timer, (uint64_t)milliseconds * 1000);
    return sd_event_source_set_enabled(pool->timer,
                                       milliseconds < 0 ? SD_EVENT_OFF : SD_EVENT_ONESHOT) < 0
               ? -1
               : 0;
}

static int set_socket(CURL *handle, curl_socket_t fd, int what, void *userdata, void *assigned)
{
    struct pool *pool = userdata;
    sd_event_source *source = assigned;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);

    (void)handle;
    if (what == CURL_POLL_REMOVE) {
        sd_event_source_disable_unref(source);
        (void)curl_multi_assign(pool->multi, fd, NULL);
        return 0;
    }
    if (source)
        return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
    if (sd_event_add_io(pool->transfers->event, &source, fd, events, on_io, pool) < 0)
        return -1;
    (void)curl_multi_assign(pool->multi, fd, source);
    return 0;
}

static int pool_new(struct pool **poolp, struct transfers *transfers)
{
    struct pool *pool = g_new0(struct pool, 1);
    int r;

    pool->transfers = transfers;
    pool->multi = curl_multi_init();
    r = pool->multi ? timer_new(&pool->timer, transfers->event, TIMER_ACCURACY, on_timer, pool)
                    : -ENOMEM;
    if (r < 0) {
        pool_free(pool);
        return r;
    }
    (void)curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    *poolp = pool;
    return 0;
}

struct transfers *transfers_new(sd_event *event, transfers_done done, void *userdata)
{
    struct transfers *transfers = g_new0(struct transfers, 1);

    transfers->event = sd_event_ref(event);
    transfers->handles = g_hash_table_new(NULL, NULL);
    transfers->done = done;
    transfers->userdata = userdata;
    return transfers;
}

struct transfers *transfers_free(struct transfers *transfers)
{
    if (!transfers)
        return NULL;
    if (transfers->pool)
        pool_free(transfers->pool);
    g_hash_table_unref(transfers->handles);
    sd_event_unref(transfers->event);
    g_free(transfers);
    return NULL;
}

int transfers_add(struct transfers *transfers, CURL *handle)
{
    int r = transfers->pool ? 0 : pool_new(&transfers->pool, transfers);
    CURLMcode code;

    if (r < 0)
        return r;
    code = curl_multi_add_handle(transfers->pool->multi, handle);
    if (code != CURLM_OK)
        return code == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO;
    transfers->pool->n++;
    g_hash_table_insert(transfers->handles, handle, transfers->pool);
    return 0;
}

void transfers_remove(struct transfers *transfers, CURL *handle)
{
    struct pool *pool = g_hash_table_lookup(transfers->handles, handle);

    if (!pool)
        return;
    (void)curl_multi_remove_handle(pool->multi, handle);
    (void)g_hash_table_remove(transfers->handles, handle);
    pool->n--;
    pool_free_if_over(pool);
}
