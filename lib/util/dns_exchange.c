/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exchanges: one connected socket each. The kernel then picks a random port, drops everything that
 * is not from the server, and reports if nothing listens there.
 */
#include "dns_exchange.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFIX 2u /* TCP: the size of what follows */

struct dns_exchange {
    sd_event_source *io;
    int fd;
    bool tcp;
    dns_exchange_done done;
    void *userdata;
    uint8_t *buffer;
    size_t sent, received, wanted; /* of TCP, with the prefix */
    uint8_t *answer;               /* of TCP: once its size is known */
    uint8_t prefix[PREFIX];        /* of the answer */
    size_t question_size, size;
    uint8_t message[]; /* with its prefix */
};

size_t dns_question_size(const uint8_t *message, size_t size)
{
    static const uint8_t one[2] = {0, 1};
    size_t at = NS_HFIXEDSZ;

    /* QR and opcode are the upper five bits. */
    if (size < NS_HFIXEDSZ || (message[2] & 0xf8u) != 0 || memcmp(message + 4, one, 2) != 0)
        return 0;
    for (;; at += 1u + message[at]) {
        if (at - NS_HFIXEDSZ >= NS_MAXCDNAME || at >= size || message[at] > NS_MAXLABEL)
            return 0;
        if (message[at] == 0)
            break;
    }
    return size - at - 1 >= NS_QFIXEDSZ ? at + 1 + NS_QFIXEDSZ : 0;
}

static bool equal_names(const uint8_t *a, const uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (g_ascii_tolower((char)a[i]) != g_ascii_tolower((char)b[i]))
            return false;
    }
    return true;
}

/* Some servers do not repeat the question if they did not understand the message. */
static bool is_bare_error(const uint8_t *answer, size_t size)
{
    static const uint8_t none[8] = {0};
    unsigned rcode = size == NS_HFIXEDSZ ? answer[3] & 0x0fu : ns_r_noerror;

    return rcode != ns_r_noerror && rcode != ns_r_nxdomain && memcmp(answer + 4, none, 8) == 0;
}

bool dns_is_answer(const uint8_t *question, size_t question_size, const uint8_t *answer,
                   size_t size)
{
    size_t name_size = question_size - NS_HFIXEDSZ - NS_QFIXEDSZ;

    /* QR is set, and the opcode is that of the question, QUERY. */
    if (size < NS_HFIXEDSZ || memcmp(answer, question, 2) != 0 || (answer[2] & 0xf8u) != 0x80)
        return false;
    if (is_bare_error(answer, size))
        return true;
    return size >= question_size && memcmp(answer + 4, question + 4, 2) == 0 &&
           equal_names(answer + NS_HFIXEDSZ, question + NS_HFIXEDSZ, name_size) &&
           memcmp(answer + NS_HFIXEDSZ + name_size, question + NS_HFIXEDSZ + name_size,
                  NS_QFIXEDSZ) == 0;
}

static bool dns_exchange_is_answer(const struct dns_exchange *exchange, const uint8_t *answer,
                                   size_t size)
{
    return dns_is_answer(exchange->message + PREFIX, exchange->question_size, answer, size);
}

static void dns_exchange_finish(struct dns_exchange *exchange, uint8_t *answer, size_t size)
{
    (void)sd_event_source_set_enabled(exchange->io, SD_EVENT_OFF);
    exchange->done(exchange->userdata, answer, size);
}

static bool must_wait(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* --- UDP ------------------------------------------------------------------------------------- */

static int on_datagram(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct dns_exchange *exchange = userdata;
    ssize_t size = recv(fd, exchange->buffer, DNS_MESSAGE_MAX, 0);

    (void)source;
    (void)revents;
    if (size < 0 && !must_wait())
        dns_exchange_finish(exchange, NULL, 0);
    else if (size > 0 && dns_exchange_is_answer(exchange, exchange->buffer, (size_t)size))
        dns_exchange_finish(exchange, exchange->buffer, (size_t)size);
    return 0; /* ignore foreign datagrams; the answer may still come */
}

static bool send_datagram(const struct dns_exchange *exchange)
{
    ssize_t sent =
        send(exchange->fd, exchange->message + PREFIX, exchange->size - PREFIX, MSG_NOSIGNAL);

    return sent >= 0 || must_wait(); /* a full queue is a lost datagram */
}

/* --- TCP ------------------------------------------------------------------------------------- */

/* Negative errno: sending failed. */
static int dns_exchange_send(struct dns_exchange *exchange)
{
    ssize_t n = send(exchange->fd, exchange->message + exchange->sent,
                     exchange->size - exchange->sent, MSG_NOSIGNAL);

    if (n < 0)
        return must_wait() ? 0 : -errno;
    exchange->sent += (size_t)n;
    if (exchange->sent < exchange->size)
        return 0;
    return sd_event_source_set_io_events(exchange->io, EPOLLIN);
}

/* Where the next bytes go, and how many are wanted. */
static uint8_t *dns_exchange_room(struct dns_exchange *exchange, size_t *size)
{
    if (exchange->received < PREFIX) {
        *size = PREFIX - exchange->received;
        return exchange->prefix + exchange->received;
    }
    *size = exchange->wanted - exchange->received;
    return exchange->answer + (exchange->received - PREFIX);
}

/* Negative errno: the exchange has failed. 1: the answer is complete. */
static int dns_exchange_receive(struct dns_exchange *exchange)
{
    for (;;) {
        size_t room;
        uint8_t *to = dns_exchange_room(exchange, &room);
        ssize_t n = recv(exchange->fd, to, room, 0);

        if (n == 0)
            return -ECONNRESET;
        if (n < 0)
            return must_wait() ? 0 : -errno;
        exchange->received += (size_t)n;
        if (exchange->received == PREFIX) {
            size_t size = (size_t)exchange->prefix[0] << 8 | exchange->prefix[1];

            if (size < NS_HFIXEDSZ)
                return -EBADMSG;
            exchange->wanted = PREFIX + size;
            exchange->answer = g_malloc(size);
        }
        if (exchange->received > PREFIX && exchange->received == exchange->wanted)
            return 1;
    }
}

static int on_stream(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct dns_exchange *exchange = userdata;
    int r;

    (void)source;
    (void)fd;
    (void)revents;
    r = exchange->sent < exchange->size ? dns_exchange_send(exchange)
                                        : dns_exchange_receive(exchange);
    if (r > 0 && !dns_exchange_is_answer(exchange, exchange->answer, exchange->wanted - PREFIX))
        r = -EBADMSG;
    if (r < 0)
        dns_exchange_finish(exchange, NULL, 0);
    else if (r > 0)
        dns_exchange_finish(exchange, exchange->answer, exchange->wanted - PREFIX);
    return 0;
}

/* --- Both ------------------------------------------------------------------------------------ */

static bool dns_exchange_connect(struct dns_exchange *exchange, sd_event *event,
                                 const union endpoint *server)
{
    int type = exchange->tcp ? SOCK_STREAM : SOCK_DGRAM;

    exchange->fd = socket(server->any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (exchange->fd < 0)
        return false;
    if (connect(exchange->fd, &server->any, endpoint_size(server)) < 0 && errno != EINPROGRESS)
        return false;
    return sd_event_add_io(event, &exchange->io, exchange->fd, exchange->tcp ? EPOLLOUT : EPOLLIN,
                           exchange->tcp ? on_stream : on_datagram, exchange) >= 0;
}

struct dns_exchange *dns_exchange_new(sd_event *event, bool tcp, const union endpoint *server,
                                      const uint8_t *message, size_t size, uint8_t *buffer,
                                      dns_exchange_done done, void *userdata)
{
    struct dns_exchange *exchange = g_malloc(sizeof *exchange + PREFIX + size);

    *exchange = (struct dns_exchange){
        .fd = -1,
        .tcp = tcp,
        .done = done,
        .userdata = userdata,
        .buffer = buffer,
        .question_size = dns_question_size(message, size),
        .size = PREFIX + size,
    };
    exchange->message[0] = (uint8_t)(size >> 8);
    exchange->message[1] = (uint8_t)size;
    memcpy(exchange->message + PREFIX, message, size);
    if (getrandom(exchange->message + PREFIX, 2, 0) != 2 ||
        !dns_exchange_connect(exchange, event, server) || (!tcp && !send_datagram(exchange)))
        return dns_exchange_free(exchange);
    return exchange;
}

bool dns_exchange_repeat(struct dns_exchange *exchange)
{
    return exchange->tcp || send_datagram(exchange);
}

struct dns_exchange *dns_exchange_free(struct dns_exchange *exchange)
{
    if (!exchange)
        return NULL;
    sd_event_source_disable_unref(exchange->io);
    if (exchange->fd >= 0)
        close(exchange->fd);
    g_free(exchange->answer);
    g_free(exchange);
    return NULL;
}

bool dns_exchange_is_from(const struct dns_exchange *exchange, const union endpoint *source)
{
    union endpoint own;
    socklen_t size = sizeof own;

    return getsockname(exchange->fd, &own.any, &size) == 0 && endpoint_equal(&own, source);
}
