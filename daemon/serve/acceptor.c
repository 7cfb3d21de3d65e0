/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Acceptor: the listening socket on the event loop.
 *
 * When the process or the system is out of descriptors, what cannot be accepted keeps the listening
 * socket readable, and the loop would spin. So one descriptor is held in reserve: with it the next
 * client is accepted, and since most are served at once it is usually free again. Failing that, a
 * waiting connection is shed; failing that, accepting pauses briefly.
 */
#include "acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/log.h"
#include "lib/util/timer.h"
#include "listening_socket.h"

/* In one iteration of the event loop. */
#define ACCEPTOR_BATCH 128u
#define ACCEPTOR_BATCH_USEC 1000
#define ACCEPTOR_PAUSE_USEC 100000u

struct acceptor {
    struct acceptor_handler handler;
    int listening;
    int reserve; /* -1: given up */
    bool told;   /* that nothing can be accepted, since the last success */
    sd_event_source *accepting, *resuming;
};

static void acceptor_take_reserve(struct acceptor *acceptor)
{
    if (acceptor->reserve < 0)
        acceptor->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int acceptor_on_resume(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct acceptor *acceptor = userdata;

    (void)source;
    (void)usec;
    acceptor_take_reserve(acceptor);
    return sd_event_source_set_enabled(acceptor->accepting, SD_EVENT_ON);
}

static int acceptor_pause(struct acceptor *acceptor, int error)
{
    int r;

    if (!acceptor->told)
        log_warning("cannot accept connections: %s; retrying ten times a second",
                    g_strerror(-error));
    acceptor->told = true;
    r = timer_start(acceptor->resuming, ACCEPTOR_PAUSE_USEC);
    if (r >= 0)
        r = sd_event_source_set_enabled(acceptor->accepting, SD_EVENT_OFF);
    return r;
}

/* 0 or the negative errno of accept4. */
static int acceptor_accept(struct acceptor *acceptor)
{
    int fd = accept4(acceptor->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return -errno;
    acceptor->told = false;
    acceptor->handler.on_accept(acceptor->handler.userdata, fd);
    return 0;
}

/* 0: continue. Otherwise `error`. */
static int acceptor_accept_reserved(struct acceptor *acceptor, int error)
{
    if (acceptor->reserve >= 0) {
        close(acceptor->reserve);
        acceptor->reserve = -1;
        (void)acceptor_accept(acceptor);
    }
    acceptor_take_reserve(acceptor);
    while (acceptor->reserve < 0 && acceptor->handler.evict(acceptor->handler.userdata))
        acceptor_take_reserve(acceptor);
    return acceptor->reserve >= 0 ? 0 : error;
}

static int acceptor_on_connection(sd_event_source *source, int listening, uint32_t revents,
                                  void *userdata)
{
    struct acceptor *acceptor = userdata;
    gint64 began = g_get_monotonic_time();

    (void)source;
    (void)listening;
    (void)revents;
    for (unsigned i = 0; i < ACCEPTOR_BATCH && g_get_monotonic_time() - began < ACCEPTOR_BATCH_USEC;
         i++) {
        int r = acceptor_accept(acceptor);

        if (r == -EMFILE || r == -ENFILE)
            r = acceptor_accept_reserved(acceptor, r);
        if (r == -EAGAIN)
            return 0;
        if (r < 0 && r != -ECONNABORTED && r != -EINTR)
            return acceptor_pause(acceptor, r);
    }
    return 0;
}

int acceptor_new(struct acceptor **acceptorp, sd_event *event, int listening,
                 const struct acceptor_handler *handler)
{
    struct acceptor *acceptor = g_new(struct acceptor, 1);
    int r;

    *acceptor = (struct acceptor){.handler = *handler, .listening = listening, .reserve = -1};
    acceptor_take_reserve(acceptor);
    r = sd_event_add_io(event, &acceptor->accepting, listening, EPOLLIN, acceptor_on_connection,
                        acceptor);
    if (r >= 0)
        r = timer_new(&acceptor->resuming, event, 0, acceptor_on_resume, acceptor);
    if (r < 0) {
        acceptor_free(acceptor);
        return r;
    }
    *acceptorp = acceptor;
    return 0;
}

struct acceptor *acceptor_free(struct acceptor *acceptor)
{
    if (!acceptor)
        return NULL;
    sd_event_source_disable_unref(acceptor->accepting);
    sd_event_source_disable_unref(acceptor->resuming);
    if (acceptor->reserve >= 0)
        close(acceptor->reserve);
    g_free(acceptor);
    return NULL;
}
