/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests are read into a small buffer and answered one after another, into a buffer that is sent
 * as the client takes it. While a client does not take its responses, or has too many requests
 * pending, its requests are not read; and if responses to pending ones still make that buffer too
 * large, the connection is closed. So none costs more than these buffers.
 */
#include "tcp_connection.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet.h"

#define REQUEST_MAX 4096u /* one that is larger is not meant for us */
#define OUT_MAX (256u << 10)
#define OUT_LIMIT (512u << 10)      /* with responses to what was pending */
#define ROOM (2u + PACKET_SIZE_MAX) /* for one response */
#define PENDING_LIMIT 64u

struct tcp_connection {
    int fd;
    sd_event_source *io, *later;
    struct front *front;
    GQueue *all; /* with `link` */
    GList link;
    uint64_t moved;
    union endpoint from, own;
    unsigned n_pending;
    bool ended; /* the client has finished sending */
    bool broken;
    size_t in_size;
    uint8_t in[2 + REQUEST_MAX];
    GByteArray *out;
    size_t sent; /* of `out` */
};

static void note_moved(struct tcp_connection *connection)
{
    connection->moved = (uint64_t)g_get_monotonic_time();
    g_queue_unlink(connection->all, &connection->link);
    g_queue_push_tail_link(connection->all, &connection->link);
}

static size_t waiting(const struct tcp_connection *connection)
{
    return connection->out->len - connection->sent;
}

static bool may_read(const struct tcp_connection *connection)
{
    return !connection->ended && connection->n_pending < PENDING_LIMIT &&
           waiting(connection) < OUT_MAX - ROOM;
}

/* --- Sending --- */

static void send_out(struct tcp_connection *connection)
{
    while (waiting(connection) > 0) {
        ssize_t n = send(connection->fd, connection->out->data + connection->sent,
                         waiting(connection), MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            connection->broken = connection->broken || errno != EAGAIN;
            break;
        }
        connection->sent += (size_t)n;
        note_moved(connection);
    }
    /* Also if some is left: a client that always leaves some would let the buffer grow forever. */
    g_byte_array_remove_range(connection->out, 0, (guint)connection->sent);
    connection->sent = 0;
}

static void append(struct tcp_connection *connection, const uint8_t *bytes, size_t size)
{
    const uint8_t length[2] = {(uint8_t)(size >> 8), (uint8_t)size};

    g_byte_array_append(connection->out, length, sizeof length);
    g_byte_array_append(connection->out, bytes, (guint)size);
}

/* --- Requests --- */

/* Sent in the next iteration of the event loop: the caller may be in the middle of something else.
 */
static void on_reply(const struct requester *client, const uint8_t *bytes, size_t size)
{
    struct tcp_connection *connection = client->connection;

    connection->n_pending--;
    if (waiting(connection) + sizeof(uint16_t) + size > OUT_LIMIT)
        connection->broken = true;
    else
        append(connection, bytes, size);
    (void)sd_event_source_set_enabled(connection->later, SD_EVENT_ONESHOT);
}

static void answer(struct tcp_connection *connection, const uint8_t *request, size_t size)
{
    const struct requester client = {
        .from = connection->from,
        .own = connection->own,
        .tcp = true,
        .request = request,
        .request_size = size,
        .connection = connection,
        .reply = on_reply,
    };
    uint8_t response[PACKET_SIZE_MAX]; /* `out` may get other responses meanwhile */
    size_t response_size = 0;
    enum front_result result;

    connection->n_pending++;
    result = front_ask(connection->front, &client, response, sizeof response, &response_size);
    connection->n_pending -= result != FRONT_PENDING;
    if (result == FRONT_ANSWERED)
        append(connection, response, response_size);
}

/* Whole requests at the front of what came in. */
static void take_requests(struct tcp_connection *connection)
{
    size_t at = 0;

    while (connection->in_size - at >= 2 && !connection->broken &&
           connection->n_pending < PENDING_LIMIT && waiting(connection) < OUT_MAX - ROOM) {
        const uint8_t *request = connection->in + at;
        size_t size = (size_t)request[0] << 8 | request[1];

        if (size > REQUEST_MAX) {
            connection->broken = true;
            return;
        }
        if (connection->in_size - at - 2 < size)
            break;
        answer(connection, request + 2, size);
        at += 2 + size;
    }
    if (at == 0)
        return;
    connection->in_size -= at;
    memmove(connection->in, connection->in + at, connection->in_size);
    note_moved(connection);
}

static void receive(struct tcp_connection *connection)
{
    size_t room = sizeof connection->in - connection->in_size;
    ssize_t n;

    if (room == 0)
        return;
    n = recv(connection->fd, connection->in + connection->in_size, room, MSG_DONTWAIT);
    if (n > 0)
        connection->in_size += (size_t)n;
    else if (n == 0)
        connection->ended = true;
    else if (errno != EAGAIN && errno != EINTR)
        connection->broken = true;
}

/* --- Events --- */

/* Continues as far as it can, and sets what to wait for. Frees the connection if it is over. */
static int go_on(struct tcp_connection *connection)
{
    size_t before;
    uint32_t events;

    do { /* what has been sent leaves room for more */
        before = connection->in_size;
        take_requests(connection);
        send_out(connection);
    } while (!connection->broken && connection->in_size != before);
    if (connection->broken ||
        (connection->ended && connection->n_pending == 0 && waiting(connection) == 0)) {
        tcp_connection_free(connection);
        return 0;
    }
    events = (may_read(connection) ? EPOLLIN : 0u) | (waiting(connection) > 0 ? EPOLLOUT : 0u);
    return sd_event_source_set_io_events(connection->io, events);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct tcp_connection *connection = userdata;

    (void)source, (void)fd;
    if ((revents & EPOLLERR) != 0 || ((revents & EPOLLHUP) != 0 && connection->ended))
        connection->broken = true;
    else if ((revents & (EPOLLIN | EPOLLHUP)) != 0)
        receive(connection);
    return go_on(connection);
}

static int on_later(sd_event_source *source, void *userdata)
{
    (void)source;
    return go_on(userdata);
}

/* --- Life --- */

static int read_ends(struct tcp_connection *connection)
{
    socklen_t from = sizeof connection->from, own = sizeof connection->own;

    return getpeername(connection->fd, &connection->from.any, &from) < 0 ||
                   getsockname(connection->fd, &connection->own.any, &own) < 0
               ? -errno
               : 0;
}

int tcp_connection_new(sd_event *event, int fd, struct front *front, GQueue *all)
{
    struct tcp_connection *connection = g_new0(struct tcp_connection, 1);

    connection->fd = fd;
    connection->front = front;
    connection->all = all;
    connection->link.data = connection;
    g_queue_push_tail_link(all, &connection->link);
    connection->moved = (uint64_t)g_get_monotonic_time();
    connection->out = g_byte_array_new();
    int r = read_ends(connection);

    if (r >= 0)
        r = sd_event_add_io(event, &connection->io, fd, EPOLLIN, on_io, connection);
    if (r >= 0)
        r = sd_event_add_defer(event, &connection->later, on_later, connection);
    if (r >= 0)
        r = sd_event_source_set_enabled(connection->later, SD_EVENT_OFF);
    if (r < 0)
        tcp_connection_free(connection);
    return r;
}

void tcp_connection_free(struct tcp_connection *connection)
{
    g_queue_unlink(connection->all, &connection->link);
    front_forget(connection->front, connection);
    sd_event_source_disable_unref(connection->io);
    sd_event_source_disable_unref(connection->later);
    g_byte_array_unref(connection->out);
    close(connection->fd);
    g_free(connection);
}

uint64_t tcp_connection_moved(const struct tcp_connection *connection)
{
    return connection->moved;
}
