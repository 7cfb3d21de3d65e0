/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Acceptor: the listening socket on the event loop.
 *
 * When the process or the system is out of descriptors, what cannot be accepted keeps the listening
 * socket readable, and the loop would spin. So one descriptor is held in reserve: with it the next
 * client is accepted, and since most are served at once it is usually free again. Failing that, a
 * waiting connection is shed; failing that, accepting pauses briefly.
 *
 * The kernel queues connections in the order in which they come, not by user. While one user
 * keeps the queue full, all others wait behind it, two milliseconds with a queue of 256. So it is
 * kept short during a flood: a client that finds it full tries again within a millisecond, and gets
 * in sooner. A burst, such as all threads of a program at once, is no flood: the longer queue then
 * saves a thousand threads from trying again.
 */
#include "acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/log.h"
#include "listening_socket.h"
#include <kubesvc/limits.h>

/* In one iteration of the event loop. */
#define ACCEPTOR_BATCH 128u
#define ACCEPTOR_BATCH_USEC 1000u
#define ACCEPTOR_PAUSE_USEC 100000u

/* A burst that is not over when lookups have timed out is a flood. */
#define ACCEPTOR_FLOOD_USEC (1000u * KUBESVC_DEADLINE_MS)
#define ACCEPTOR_FLOOD_RATE 5000u /* connections a second */
#define ACCEPTOR_FLOOD_BACKLOG 64

struct acceptor {
    struct acceptor_handler handler;
    int listening;
    int reserve; /* -1: given up */
    bool told;   /* that nothing can be accepted, since the last success */
    uint64_t counted_since;
    uint64_t accepted; /* since then */
    bool flooded;
    sd_event_source *accepting, *resuming;
};

static uint64_t monotonic_now(void)
{
    return (uint64_t)g_get_monotonic_time();
}

/* Now and then: is this a flood? */
static void acceptor_adapt(struct acceptor *acceptor, uint64_t now)
{
    uint64_t elapsed = now - acceptor->counted_since;
    bool flooded;

    if (elapsed < ACCEPTOR_FLOOD_USEC)
        return;
    flooded = acceptor->accepted > elapsed * ACCEPTOR_FLOOD_RATE / G_USEC_PER_SEC;
    if (flooded != acceptor->flooded &&
        listen(acceptor->listening, flooded ? ACCEPTOR_FLOOD_BACKLOG : LISTENING_SOCKET_BACKLOG) ==
            0)
        acceptor->flooded = flooded;
    acceptor->counted_since = now;
    acceptor->accepted = 0;
}

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
    r = sd_event_source_set_time_relative(acceptor->resuming, ACCEPTOR_PAUSE_USEC);
    if (r >= 0)
        r = sd_event_source_set_enabled(acceptor->resuming, SD_EVENT_ONESHOT);
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
    acceptor->accepted++;
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
    uint64_t began = acceptor->handler.now();

    (void)source;
    (void)listening;
    (void)revents;
    acceptor_adapt(acceptor, began);
    for (unsigned i = 0;
         i < ACCEPTOR_BATCH && acceptor->handler.now() - began < ACCEPTOR_BATCH_USEC; i++) {
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
    if (!acceptor->handler.now)
        acceptor->handler.now = monotonic_now;
    acceptor->counted_since = acceptor->handler.now();
    acceptor_take_reserve(acceptor);
    r = sd_event_add_io(event, &acceptor->accepting, listening, EPOLLIN, acceptor_on_connection,
                        acceptor);
    if (r >= 0)
        r = sd_event_add_time(event, &acceptor->resuming, CLOCK_MONOTONIC, 0, 0, acceptor_on_resume,
                              acceptor);
    if (r >= 0)
        r = sd_event_source_set_enabled(acceptor->resuming, SD_EVENT_OFF);
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
