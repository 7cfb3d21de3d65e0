/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection for each request: they are few, and none has to wait for another's answer. The
 * daemon is trusted with names, not with this process: nothing larger than the protocol allows is
 * accepted.
 */
#include "exchange.h"

#include <endian.h>
#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/util/timer.h"
#include <kubesvc/snapshot.h>

#define DEADLINE_USEC 1000000u    /* until an answer or a sign that it will take longer */
#define BACKLOG_USEC 2000u        /* until connecting is tried again while too many others wait */
#define PENDING_MAX_USEC 5000000u /* stub resolvers retry after that */
#define RESPONSE_MAX                                                                               \
    (sizeof(struct kubesvc_header) + sizeof(struct kubesvc_answer) + KUBESVC_NAMES_SIZE_MAX +      \
     16 * EXCHANGE_ADDRESSES_MAX)

struct exchange {
    int fd, received_fd;
    struct sockaddr_un address;
    sd_event_source *timer, *io; /* NULL: not connected yet, and `bytes` is the request */
    exchange_done done;
    void *userdata;
    uint64_t began; /* CLOCK_MONOTONIC, microseconds */
    size_t size;
    uint8_t bytes[RESPONSE_MAX];
};

static uint64_t now_usec(void)
{
    return (uint64_t)g_get_monotonic_time();
}

struct exchange *exchange_free(struct exchange *exchange)
{
    if (!exchange)
        return NULL;
    sd_event_source_disable_unref(exchange->io);
    sd_event_source_disable_unref(exchange->timer);
    if (exchange->fd >= 0)
        close(exchange->fd);
    if (exchange->received_fd >= 0)
        close(exchange->received_fd);
    g_free(exchange);
    return NULL;
}

/* The exchange is over. */
static int finish(struct exchange *exchange, struct exchange_response response)
{
    response.fd = exchange->received_fd;
    exchange->done(exchange->userdata, &response);
    exchange_free(exchange);
    return 0;
}

static ssize_t receive(struct exchange *exchange)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = exchange->bytes + exchange->size,
                         .iov_len = sizeof exchange->bytes - exchange->size};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = CMSG_LEN(sizeof(int)),
    };
    ssize_t n = recvmsg(exchange->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    const struct cmsghdr *first = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;

    if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS &&
        first->cmsg_len == CMSG_LEN(sizeof(int))) {
        if (exchange->received_fd >= 0)
            close(exchange->received_fd);
        memcpy(&exchange->received_fd, CMSG_DATA(first), sizeof exchange->received_fd);
    }
    return n;
}

/* The daemon itself is waiting. */
static void extend(struct exchange *exchange)
{
    uint64_t deadline = now_usec() + DEADLINE_USEC;

    (void)sd_event_source_set_time(exchange->timer,
                                   MIN(deadline, exchange->began + PENDING_MAX_USEC));
}

/* Removes PENDING frames from the front. 1: another, complete one follows; 0: none yet. */
static int next_frame(struct exchange *exchange, struct kubesvc_header *header)
{
    for (;;) {
        if (exchange->size < sizeof *header)
            return 0;
        memcpy(header, exchange->bytes, sizeof *header);
        uint32_t length = le32toh(header->length);

        if (le32toh(header->magic) != KUBESVC_MAGIC || length > RESPONSE_MAX - sizeof *header)
            return -EPROTO;
        if (exchange->size - sizeof *header < length)
            return 0;
        if (header->type != KUBESVC_RESPONSE_PENDING)
            return 1;
        exchange->size -= sizeof *header + length;
        memmove(exchange->bytes, exchange->bytes + sizeof *header + length, exchange->size);
        extend(exchange);
    }
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct exchange *exchange = userdata;
    struct kubesvc_header header;
    ssize_t n = receive(exchange);

    (void)source, (void)fd, (void)revents;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return finish(exchange, (struct exchange_response){.error = n < 0 ? -errno : -ECONNRESET});
    exchange->size += (size_t)n;
    int r = next_frame(exchange, &header);

    if (r == 0)
        return 0;
    if (r < 0)
        return finish(exchange, (struct exchange_response){.error = r});
    return finish(exchange, (struct exchange_response){
                                .type = header.type,
                                .payload = exchange->bytes + sizeof header,
                                .size = le32toh(header.length),
                            });
}

/* Connects and sends the request, which a new socket takes whole; or tries that again soon, if the
 * daemon has not accepted the connections before this one yet: no event tells when it has. */
static int begin(struct exchange *exchange)
{
    bool wait = connect(exchange->fd, (const struct sockaddr *)&exchange->address,
                        sizeof exchange->address) < 0;
    int r;

    if (wait && errno != EAGAIN)
        return -errno;
    if (!wait && send(exchange->fd, exchange->bytes, exchange->size, MSG_NOSIGNAL) !=
                     (ssize_t)exchange->size)
        return -EAGAIN;
    r = timer_start(exchange->timer, wait ? BACKLOG_USEC : DEADLINE_USEC);
    if (r < 0 || wait)
        return r;
    exchange->size = 0;
    return sd_event_add_io(sd_event_source_get_event(exchange->timer), &exchange->io, exchange->fd,
                           EPOLLIN, on_readable, exchange);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct exchange *exchange = userdata;
    bool late = exchange->io || usec - exchange->began >= DEADLINE_USEC;
    int r = late ? -ETIME : begin(exchange);

    (void)source;
    return r < 0 ? finish(exchange, (struct exchange_response){.error = r}) : 0;
}

static int start(struct exchange **exchangep, sd_event *event, const char *path,
                 const uint8_t *request, size_t size, exchange_done done, void *userdata)
{
    struct exchange *exchange;
    size_t length = strlen(path);
    int r;

    if (length >= sizeof exchange->address.sun_path)
        return -ENOENT;
    exchange = g_new0(struct exchange, 1);
    exchange->address.sun_family = AF_UNIX;
    memcpy(exchange->address.sun_path, path, length);
    exchange->done = done;
    exchange->userdata = userdata;
    exchange->began = now_usec();
    exchange->size = size;
    memcpy(exchange->bytes, request, size);
    exchange->received_fd = -1;
    exchange->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    r = exchange->fd < 0 ? -errno : timer_new(&exchange->timer, event, 1000, on_timer, exchange);
    if (r >= 0)
        r = begin(exchange);
    if (r < 0) {
        exchange_free(exchange);
        return r;
    }
    *exchangep = exchange;
    return 0;
}

static size_t make_header(uint8_t *request, enum kubesvc_request_type type, size_t payload)
{
    const struct kubesvc_header header = {
        .magic = htole32(KUBESVC_MAGIC),
        .version = KUBESVC_PROTOCOL_VERSION,
        .type = (uint8_t)type,
        .length = htole32((uint32_t)payload),
    };

    memcpy(request, &header, sizeof header);
    return sizeof header + payload;
}

int exchange_map(struct exchange **exchangep, sd_event *event, const char *path, exchange_done done,
                 void *userdata)
{
    const struct kubesvc_map_request body = {.version = htole32(KUBESVC_SNAPSHOT_VERSION)};
    uint8_t request[sizeof(struct kubesvc_header) + sizeof body];

    memcpy(request + sizeof(struct kubesvc_header), &body, sizeof body);
    return start(exchangep, event, path, request,
                 make_header(request, KUBESVC_REQUEST_MAP, sizeof body), done, userdata);
}

int exchange_name(struct exchange **exchangep, sd_event *event, const char *path, const char *name,
                  enum kubesvc_family family, exchange_done done, void *userdata)
{
    size_t length = strlen(name);
    const struct kubesvc_name_request body = {
        .room = htole32(EXCHANGE_ADDRESSES_MAX),
        .family = (uint8_t)family,
        .name_length = (uint8_t)(length + 1), /* with a final dot: it is absolute */
    };
    uint8_t request[sizeof(struct kubesvc_header) + sizeof body + KUBESVC_NAME_MAX + 1];
    uint8_t *end = request + sizeof(struct kubesvc_header);

    if (length < 1 || length > KUBESVC_NAME_MAX)
        return -EINVAL;
    end = mempcpy(end, &body, sizeof body);
    end = mempcpy(end, name, length);
    *end = '.';
    return start(exchangep, event, path, request,
                 make_header(request, KUBESVC_REQUEST_NAME, sizeof body + length + 1), done,
                 userdata);
}
