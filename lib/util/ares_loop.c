/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * c-ares says which sockets it waits for and until when; the loop tells it what has come. A channel
 * whose socket cannot be watched times out, so that is only logged.
 */
#define CARES_NO_DEPRECATED /* c-ares of Debian 12 (1.18) lacks the replacements */
#include "ares_loop.h"

#include <errno.h>
#include <glib.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include "log.h"
#include "timer.h"

struct ares_loop {
    sd_event *event;
    sd_event_source *timer;
    GHashTable *sockets; /* descriptor -> sd_event_source */
    ares_channel channel;
};

void ares_loop_arm(struct ares_loop *loop)
{
    struct timeval left, *next = loop->channel ? ares_timeout(loop->channel, NULL, &left) : NULL;

    if (!next) {
        (void)sd_event_source_set_enabled(loop->timer, SD_EVENT_OFF);
        return;
    }
    (void)timer_start(loop->timer, (uint64_t)next->tv_sec * 1000000 + (uint64_t)next->tv_usec);
}

static int on_socket(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct ares_loop *loop = userdata;

    (void)source;
    /* An error is found by reading. */
    ares_process_fd(loop->channel, revents & ~(uint32_t)EPOLLOUT ? fd : ARES_SOCKET_BAD,
                    revents & EPOLLOUT ? fd : ARES_SOCKET_BAD);
    ares_loop_arm(loop);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct ares_loop *loop = userdata;

    (void)source;
    (void)usec;
    ares_process_fd(loop->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    ares_loop_arm(loop);
    return 0;
}

static void unwatch(void *source)
{
    sd_event_source_disable_unref(source);
}

/* No interest any more: c-ares is about to close the socket. */
void ares_loop_on_state(void *userdata, ares_socket_t fd, int readable, int writable)
{
    struct ares_loop *loop = userdata;
    sd_event_source *source = g_hash_table_lookup(loop->sockets, GINT_TO_POINTER(fd));
    uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
    int r;

    if (events == 0) {
        g_hash_table_remove(loop->sockets, GINT_TO_POINTER(fd));
        return;
    }
    if (source) {
        r = sd_event_source_set_io_events(source, events);
    } else {
        r = sd_event_add_io(loop->event, &source, fd, events, on_socket, loop);
        if (r >= 0)
            g_hash_table_insert(loop->sockets, GINT_TO_POINTER(fd), source);
    }
    if (r < 0)
        log_warning("cannot wait for a nameserver: %s", g_strerror(-r));
}

void ares_loop_set(struct ares_loop *loop, ares_channel channel)
{
    if (loop->channel)
        ares_destroy(loop->channel);
    loop->channel = channel;
    ares_loop_arm(loop);
}

ares_channel ares_loop_channel(const struct ares_loop *loop)
{
    return loop->channel;
}

int ares_loop_errno(int status)
{
    switch (status) {
    case ARES_SUCCESS: return 0;
    case ARES_ENOMEM: return -ENOMEM;
    case ARES_EBADSTR: return -EINVAL;
    default: return -EIO;
    }
}

int ares_loop_new(struct ares_loop **loopp, sd_event *event)
{
    struct ares_loop *loop;
    int r = ares_loop_errno(ares_library_init(ARES_LIB_INIT_ALL));

    if (r < 0)
        return r;
    loop = g_new0(struct ares_loop, 1);
    loop->event = sd_event_ref(event);
    loop->sockets = g_hash_table_new_full(NULL, NULL, NULL, unwatch);
    r = timer_new(&loop->timer, event, 1000, on_timer, loop);
    if (r < 0) {
        ares_loop_free(loop);
        return r;
    }
    *loopp = loop;
    return 0;
}

struct ares_loop *ares_loop_free(struct ares_loop *loop)
{
    if (!loop)
        return NULL;
    if (loop->channel)
        ares_destroy(loop->channel);
    sd_event_source_disable_unref(loop->timer);
    g_hash_table_unref(loop->sockets);
    sd_event_unref(loop->event);
    g_free(loop);
    ares_library_cleanup();
    return NULL;
}
