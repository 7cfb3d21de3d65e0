/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections are cheap and few, and none is guaranteed: when there are too many, the one that has
 * been silent longest is closed, so that slow or silent clients cannot keep others out.
 */
#include "tcp.h"

#include <errno.h>
#include <glib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/timer.h"
#include "tcp_connection.h"

#define SWEEP_USEC 1000000u
/* New connections, so that a process without descriptors does not spend its time on refusing them.
 */
#define ACCEPT_USEC 100000u
#define ACCEPT_MAX 1000u

struct tcp {
    sd_event *event;
    struct front *front;
    GPtrArray *listeners; /* struct tcp_listener * */
    GQueue connections;   /* struct tcp_connection, the one that moved longest ago first */
    sd_event_source *sweep;
};

struct tcp_listener {
    struct tcp *tcp;
    int fd;
    sd_event_source *io;
};

static void listener_free(gpointer data)
{
    struct tcp_listener *listener = data;

    sd_event_source_disable_unref(listener->io);
    close(listener->fd);
    g_free(listener);
}

static bool drop_oldest(struct tcp *tcp)
{
    GList *oldest = tcp->connections.head;

    if (oldest)
        tcp_connection_free(oldest->data);
    return oldest != NULL;
}

/* Connections idle for too long; they are the first ones. */
static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct tcp *tcp = userdata;
    GList *head;

    (void)source;
    while ((head = tcp->connections.head)) {
        if (usec - MIN(usec, tcp_connection_moved(head->data)) < TCP_IDLE_USEC)
            return timer_start(tcp->sweep, SWEEP_USEC);
        tcp_connection_free(head->data);
    }
    return 0;
}

static void add(struct tcp *tcp, int fd)
{
    /* It has gone already, or there is no memory for it. An error would end the listener. */
    if (tcp_connection_new(tcp->event, fd, tcp->front, &tcp->connections) < 0)
        return;
    if (tcp->connections.length > TCP_CONNECTIONS_MAX)
        drop_oldest(tcp);
    if (tcp->connections.length == 1)
        (void)timer_start(tcp->sweep, SWEEP_USEC);
}

static int on_connection(sd_event_source *source, int listening, uint32_t revents, void *userdata)
{
    struct tcp *tcp = ((struct tcp_listener *)userdata)->tcp;

    (void)source, (void)revents;
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) &&
        drop_oldest(tcp))
        fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        add(tcp, fd);
    return 0;
}

/* --- Life --- */

int tcp_new(struct tcp **tcpp, sd_event *event, struct front *front)
{
    struct tcp *tcp = g_new0(struct tcp, 1);

    tcp->event = sd_event_ref(event);
    tcp->front = front;
    tcp->listeners = g_ptr_array_new_with_free_func(listener_free);
    int r = timer_new(&tcp->sweep, event, 0, on_sweep, tcp);
    if (r < 0) {
        tcp_free(tcp);
        return r;
    }
    *tcpp = tcp;
    return 0;
}

int tcp_listen(struct tcp *tcp, int fd)
{
    struct tcp_listener *listener = g_new0(struct tcp_listener, 1);

    listener->tcp = tcp;
    listener->fd = fd;
    g_ptr_array_add(tcp->listeners, listener);
    int r = sd_event_add_io(tcp->event, &listener->io, fd, EPOLLIN, on_connection, listener);

    return r < 0 ? r : sd_event_source_set_ratelimit(listener->io, ACCEPT_USEC, ACCEPT_MAX);
}

struct tcp *tcp_free(struct tcp *tcp)
{
    if (!tcp)
        return NULL;
    g_ptr_array_unref(tcp->listeners);
    while (drop_oldest(tcp))
        ;
    sd_event_source_disable_unref(tcp->sweep);
    sd_event_unref(tcp->event);
    g_free(tcp);
    return NULL;
}
