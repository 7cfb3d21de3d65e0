/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The multi interface with epoll: libcurl states which descriptors and which time it waits for, and
 * is notified. The timer is exact: sd-event's default accuracy of 250 ms would become the delay of
 * every change.
 */
#include "transfers.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "lib/util/timer.h"

#define TIMER_ACCURACY 1u /* microseconds */

struct transfers {
    sd_event *event;
    CURLM *multi;
    sd_event_source *timer;
    transfers_done done;
    void *userdata;
};

static void take_results(struct transfers *transfers)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(transfers->multi, &left))) {
        CURL *handle = message->easy_handle;
        CURLcode result = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_multi_remove_handle(transfers->multi, handle);
        transfers->done(transfers->userdata, handle, result);
    }
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct transfers *transfers = userdata;
    int running, what = (revents & EPOLLIN ? CURL_CSELECT_IN : 0) |
                        (revents & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                        (revents & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

    (void)source;
    (void)curl_multi_socket_action(transfers->multi, fd, what, &running);
    take_results(transfers);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct transfers *transfers = userdata;
    int running;

    (void)source, (void)usec;
    (void)curl_multi_socket_action(transfers->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_results(transfers);
    return 0;
}

static int set_timer(CURLM *multi, long milliseconds, void *userdata)
{
    struct transfers *transfers = userdata;

    (void)multi;
    if (milliseconds >= 0)
        (void)sd_event_source_set_time_relative(transfers->timer, (uint64_t)milliseconds * 1000);
    return sd_event_source_set_enabled(transfers->timer,
                                       milliseconds < 0 ? SD_EVENT_OFF : SD_EVENT_ONESHOT) < 0
               ? -1
               : 0;
}

static int set_socket(CURL *handle, curl_socket_t fd, int what, void *userdata, void *assigned)
{
    struct transfers *transfers = userdata;
    sd_event_source *source = assigned;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);

    (void)handle;
    if (what == CURL_POLL_REMOVE) {
        sd_event_source_disable_unref(source);
        (void)curl_multi_assign(transfers->multi, fd, NULL);
        return 0;
    }
    if (source)
        return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
    if (sd_event_add_io(transfers->event, &source, fd, events, on_io, transfers) < 0)
        return -1;
    (void)curl_multi_assign(transfers->multi, fd, source);
    return 0;
}

int transfers_new(struct transfers **transfersp, sd_event *event, transfers_done done,
                  void *userdata)
{
    struct transfers *transfers = g_new0(struct transfers, 1);
    int r;

    transfers->event = sd_event_ref(event);
    transfers->done = done;
    transfers->userdata = userdata;
    transfers->multi = curl_multi_init();
    r = transfers->multi ? timer_new(&transfers->timer, event, TIMER_ACCURACY, on_timer, transfers)
                         : -ENOMEM;
    if (r < 0) {
        transfers_free(transfers);
        return r;
    }
    (void)curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    (void)curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETDATA, transfers);
    (void)curl_multi_setopt(transfers->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(transfers->multi, CURLMOPT_TIMERDATA, transfers);
    (void)curl_multi_setopt(transfers->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    *transfersp = transfers;
    return 0;
}

struct transfers *transfers_free(struct transfers *transfers)
{
    if (!transfers)
        return NULL;
    if (transfers->multi)
        (void)curl_multi_cleanup(transfers->multi);
    sd_event_source_disable_unref(transfers->timer);
    sd_event_unref(transfers->event);
    g_free(transfers);
    return NULL;
}

int transfers_add(struct transfers *transfers, CURL *handle)
{
    CURLMcode code = curl_multi_add_handle(transfers->multi, handle);

    return code == CURLM_OK ? 0 : code == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}

void transfers_remove(struct transfers *transfers, CURL *handle)
{
    (void)curl_multi_remove_handle(transfers->multi, handle);
}
