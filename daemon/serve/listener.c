/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listener: checks once a second whether the path still leads to the socket, because a socket whose
 * file is gone gives no sign of it, and every name of the host is gone with it. A replacement at
 * the path is treated as at startup: another daemon's socket and a file that is not a socket are
 * left alone, and waited for.
 */
#include "listener.h"

#include <errno.h>
#include <glib.h>

#include "lib/util/log.h"
#include "lib/util/timer.h"
#include "listening_socket.h"

#define LOOK_USEC 1000000u

struct listener {
    sd_event *event;
    struct acceptor_handler handler;
    char *path;
    struct listening_socket *listener; /* NULL: listening is not possible now */
    struct acceptor *acceptor;
    sd_event_source *looking;
    int failure;                          /* reason last logged, while there is no listener */
    void (*kept)(void *userdata, int fd); /* see listener_keep; or NULL */
    void *kept_userdata;
};

static void listener_close(struct listener *listener)
{
    listener->acceptor = acceptor_free(listener->acceptor);
    listener->listener = listening_socket_free(listener->listener);
}

/* 0, LISTENING_SOCKET_BUSY, LISTENING_SOCKET_EXPOSED or negative errno. */
static int listener_open(struct listener *listener, int adopted)
{
    int r = listening_socket_new(&listener->listener, listener->path, adopted);

    if (r)
        return r;
    r = acceptor_new(&listener->acceptor, listener->event, listening_socket_fd(listener->listener),
                     &listener->handler);
    if (r)
        listener_close(listener);
    return r;
}

static void listener_hand_on(struct listener *listener)
{
    if (!listener->kept || !listener->listener)
        return;
    listening_socket_keep(listener->listener);
    listener->kept(listener->kept_userdata, listening_socket_fd(listener->listener));
}

static const char *listener_error(int r)
{
    if (r == LISTENING_SOCKET_BUSY)
        return "another daemon is already listening";
    return r == LISTENING_SOCKET_EXPOSED ? "others can write to the directory" : g_strerror(-r);
}

static void listener_reopen(struct listener *listener)
{
    listener_close(listener);
    int r = listener_open(listener, -1);
    if (!r)
        log_warning("%s: was removed or replaced; restored", listener->path);
    else if (r != listener->failure)
        log_error("%s: was removed or replaced and cannot be recreated: %s; retrying every second",
                  listener->path, listener_error(r));
    listener->failure = r;
    listener_hand_on(listener);
}

static int listener_on_look(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct listener *listener = userdata;

    (void)usec;
    if (!listener->listener || !listening_socket_is_reached(listener->listener))
        listener_reopen(listener);
    return timer_start(source, LOOK_USEC);
}

int listener_new(struct listener **listenerp, sd_event *event, const char *path, int adopted,
                 const struct acceptor_handler *handler)
{
    struct listener *listener = g_new(struct listener, 1);

    *listener = (struct listener){
        .event = sd_event_ref(event),
        .handler = *handler,
        .path = g_strdup(path),
    };
    int r = listener_open(listener, adopted);
    if (r > 0)
        r = r == LISTENING_SOCKET_BUSY ? LISTENER_BUSY : -EPERM;
    if (!r)
        r = sd_event_add_time_relative(event, &listener->looking, CLOCK_MONOTONIC, LOOK_USEC, 0,
                                       listener_on_look, listener);
    if (r) {
        listener_free(listener);
        return r;
    }
    *listenerp = listener;
    return 0;
}

void listener_keep(struct listener *listener, void (*kept)(void *userdata, int fd), void *userdata)
{
    listener->kept = kept;
    listener->kept_userdata = userdata;
    listener_hand_on(listener);
}

struct listener *listener_free(struct listener *listener)
{
    if (!listener)
        return NULL;
    sd_event_source_disable_unref(listener->looking);
    listener_close(listener);
    g_free(listener->path);
    sd_event_unref(listener->event);
    g_free(listener);
    return NULL;
}
