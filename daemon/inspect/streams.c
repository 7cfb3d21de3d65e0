/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams: a queue of frames for each client, sent as its socket takes them. A client may lag by
 * what a large change is, on top of what it was given first, and for a few seconds.
 */
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/timer.h"

struct streams {
    struct streams_options options;
    GPtrArray *all; /* struct stream * */
};

struct stream {
    struct streams *streams;
    struct stream_client client;
    int fd;
    size_t allowed; /* bytes that may wait */
    struct frame_writer frames;
    sd_event_source *io, *timer;
};

static void stream_free(void *data)
{
    struct stream *stream = data;

    sd_event_source_disable_unref(stream->io);
    sd_event_source_disable_unref(stream->timer);
    close(stream->fd);
    frame_writer_clear(&stream->frames);
    g_free(stream);
}

struct streams *streams_new(const struct streams_options *options)
{
    struct streams *streams = g_new(struct streams, 1);

    *streams = (struct streams){*options, g_ptr_array_new_with_free_func(stream_free)};
    return streams;
}

struct streams *streams_free(struct streams *streams)
{
    if (!streams)
        return NULL;
    g_ptr_array_unref(streams->all);
    g_free(streams);
    return NULL;
}

static void drop(struct stream *stream)
{
    const struct streams *streams = stream->streams;

    g_ptr_array_remove_fast(streams->all, stream);
    streams->options.gone(streams->options.userdata);
}

/* From now on, the client must read something within that time. */
static void expect_reading(const struct stream *stream)
{
    uint64_t stall = stream->streams->options.stall;

    if (stall == 0)
        return;
    (void)timer_start(stream->timer, stall);
}

/* False: it is over. */
static bool send_on(struct stream *stream)
{
    size_t before = stream->frames.size;
    int r = frame_writer_send(&stream->frames, stream->fd);

    if (r < 0)
        return false;
    (void)sd_event_source_set_io_events(stream->io,
                                        r == FRAME_WRITER_LEFT ? EPOLLIN | EPOLLOUT : EPOLLIN);
    if (r != FRAME_WRITER_LEFT)
        (void)sd_event_source_set_enabled(stream->timer, SD_EVENT_OFF);
    else if (stream->frames.size < before)
        expect_reading(stream);
    return true;
}

/* It has nothing more to say; what it says anyway is not read for ever. */
static bool has_hung_up(const struct stream *stream)
{
    uint8_t ignored[256];
    ssize_t n = recv(stream->fd, ignored, sizeof ignored, MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct stream *stream = userdata;

    (void)source, (void)fd;
    if ((revents & (EPOLLHUP | EPOLLERR)) || ((revents & EPOLLIN) && has_hung_up(stream)) ||
        ((revents & EPOLLOUT) && !send_on(stream)))
        drop(stream);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source, (void)usec;
    drop(userdata);
    return 0;
}

static bool is_full(const struct streams *streams, uid_t uid)
{
    unsigned of_user = 0;

    for (guint i = 0; i < streams->all->len; i++)
        of_user += ((const struct stream *)streams->all->pdata[i])->client.uid == uid;
    return streams->all->len >= streams->options.of_all || of_user >= streams->options.of_user;
}

bool streams_add(struct streams *streams, int fd, const struct stream_client *client,
                 struct frame_writer *frames)
{
    sd_event *event = streams->options.event;
    int own = is_full(streams, client->uid) ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    struct stream *stream;

    if (own < 0)
        return false;
    stream = g_new0(struct stream, 1);
    stream->streams = streams;
    stream->client = *client;
    stream->fd = own;
    if (sd_event_add_io(event, &stream->io, own, EPOLLIN | EPOLLOUT, on_io, stream) < 0 ||
        timer_new(&stream->timer, event, 0, on_timer, stream) < 0) {
        frame_writer_init(&stream->frames);
        stream_free(stream);
        return false;
    }
    stream->frames = *frames;
    frame_writer_init(frames);
    stream->allowed = stream->frames.size + streams->options.lag;
    expect_reading(stream);
    g_ptr_array_add(streams->all, stream);
    return true;
}

void streams_emit(struct streams *streams, const char *lines, bool question)
{
    size_t size = strlen(lines);

    for (guint i = streams->all->len; i-- > 0;) {
        struct stream *stream = streams->all->pdata[i];
        bool late = stream->frames.size > 0;

        if (question && !stream->client.questions)
            continue;
        if (size > stream->allowed - MIN(stream->frames.size, stream->allowed)) {
            drop(stream);
            continue;
        }
        frame_writer_write(&stream->frames, lines, size);
        frame_writer_flush(&stream->frames);
        if (late)
            continue;
        expect_reading(stream);
        if (!send_on(stream))
            drop(stream);
    }
}

unsigned streams_list(const struct streams *streams,
                      struct stream_client clients[static STREAMS_MAX])
{
    for (guint i = 0; i < streams->all->len; i++)
        clients[i] = ((const struct stream *)streams->all->pdata[i])->client;
    return streams->all->len;
}
