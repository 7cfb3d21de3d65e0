/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Entrance: looks once a second whether the path still leads to the socket, because the descriptor
 * of a socket whose file is gone tells nothing, and every name of the host is gone with it. What
 * lies at the path instead is treated as at the start: another daemon's socket and a file that is
 * no socket are left alone, and waited for.
 */
#include "entrance.h"

#include <errno.h>
#include <glib.h>

#include "lib/util/log.h"
#include "listener.h"

#define LOOK_USEC 1000000u

struct entrance {
    sd_event *event;
    struct acceptor_handler handler;
    char *path;
    struct listener *listener; /* NULL: nobody can listen there now */
    struct acceptor *acceptor;
    sd_event_source *looking;
    int failure; /* that was told of, while there is no listener */
};

static void entrance_close(struct entrance *entrance)
{
    entrance->acceptor = acceptor_free(entrance->acceptor);
    entrance->listener = listener_free(entrance->listener);
}

/* 0, LISTENER_BUSY, LISTENER_EXPOSED or negative errno. */
static int entrance_open(struct entrance *entrance, int adopted)
{
    int r = listener_adopt(&entrance->listener, entrance->path, adopted);

    if (r)
        return r;
    r = acceptor_new(&entrance->acceptor, entrance->event, listener_fd(entrance->listener),
                     &entrance->handler);
    if (r)
        entrance_close(entrance);
    return r;
}

static const char *entrance_error(int r)
{
    if (r == LISTENER_BUSY)
        return "another daemon is already listening";
    return r == LISTENER_EXPOSED ? "others can write to the directory" : g_strerror(-r);
}

static void entrance_reopen(struct entrance *entrance)
{
    int r;

    entrance_close(entrance);
    r = entrance_open(entrance, -1);
    if (!r)
        log_warning("%s: was removed or replaced; restored", entrance->path);
    else if (r != entrance->failure)
        log_error("%s: was removed or replaced and cannot be recreated: %s; retrying every second",
                  entrance->path, entrance_error(r));
    entrance->failure = r;
}

static int entrance_on_look(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct entrance *entrance = userdata;
    int r;

    (void)usec;
    if (!entrance->listener || !listener_is_reached(entrance->listener))
        entrance_reopen(entrance);
    r = sd_event_source_set_time_relative(source, LOOK_USEC);
    return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int entrance_new(struct entrance **entrancep, sd_event *event, const char *path, int adopted,
                 const struct acceptor_handler *handler)
{
    struct entrance *entrance = g_new(struct entrance, 1);
    int r;

    *entrance = (struct entrance){
        .event = sd_event_ref(event),
        .handler = *handler,
        .path = g_strdup(path),
    };
    r = entrance_open(entrance, adopted);
    if (r > 0)
        r = r == LISTENER_BUSY ? ENTRANCE_BUSY : -EPERM;
    if (!r)
        r = sd_event_add_time_relative(event, &entrance->looking, CLOCK_MONOTONIC, LOOK_USEC, 0,
                                       entrance_on_look, entrance);
    if (r) {
        entrance_free(entrance);
        return r;
    }
    *entrancep = entrance;
    return 0;
}

int entrance_keep(struct entrance *entrance)
{
    if (!entrance->listener)
        return -1;
    listener_keep(entrance->listener);
    return listener_fd(entrance->listener);
}

struct entrance *entrance_free(struct entrance *entrance)
{
    if (!entrance)
        return NULL;
    sd_event_source_disable_unref(entrance->looking);
    entrance_close(entrance);
    g_free(entrance->path);
    sd_event_unref(entrance->event);
    g_free(entrance);
    return NULL;
}
