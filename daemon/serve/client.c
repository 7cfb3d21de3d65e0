/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Client: non-blocking input and output of one connection. An answer goes out with one sendmsg
 * straight from where it lies; only what the socket does not take is copied, because the snapshot
 * under it may have changed by the time it does. There is never more than one answer in progress:
 * the next request of a pipelining client is read only when its last answer is out.
 */
#include "client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/descriptor.h"

struct client *client_new(int fd)
{
    struct client *client = g_new(struct client, 1);

    /* The buffers are not worth clearing thirty thousand times a second. */
    memset(client, 0, offsetof(struct client, request));
    client->fd = fd;
    client->turn.data = client->by_user.data = client->ready.data = client;
    return client;
}

struct client *client_free(struct client *client)
{
    if (!client)
        return NULL;
    close(client->fd);
    g_free(client->rest);
    g_free(client);
    return NULL;
}

uid_t client_uid(const struct client *client)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t size = sizeof peer;

    (void)getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    return peer.uid;
}

static int client_result(ssize_t n)
{
    if (n > 0)
        return 0;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? CLIENT_WAIT : CLIENT_GONE;
}

/* After bytes of an answer went out. */
static int client_end(const struct client *client)
{
    return client->last && !client->rest ? CLIENT_DONE : 0;
}

int client_receive(struct client *client)
{
    /* A whole frame always fits, so there is room unless a complete one is pending. */
    ssize_t n = recv(client->fd, client->input + client->received,
                     sizeof client->input - client->received, MSG_DONTWAIT);

    if (n > 0)
        client->received += (size_t)n;
    return client_result(n);
}

int client_take(struct client *client)
{
    size_t used;
    int r = request_parse(&client->request, client->input, client->received, &used);

    if (r)
        return r;
    client->received -= used;
    memmove(client->input, client->input + used, client->received);
    return 0;
}

static void client_keep_rest(struct client *client, const struct iovec *parts, size_t n_parts,
                             size_t sent)
{
    size_t size = 0;
    uint8_t *end;

    for (size_t i = 0; i < n_parts; i++)
        size += parts[i].iov_len;
    if (sent >= size)
        return;

    client->rest = end = g_malloc(size - sent);
    client->rest_size = size - sent;
    client->rest_sent = 0;
    for (size_t i = 0; i < n_parts; i++) {
        size_t skip = MIN(sent, parts[i].iov_len), length = parts[i].iov_len - skip;

        memcpy(end, (const uint8_t *)parts[i].iov_base + skip, length);
        end += length;
        sent -= skip;
    }
}

int client_send(struct client *client, struct answer *answer)
{
    struct msghdr message = {.msg_iov = answer->parts, .msg_iovlen = answer->n_parts};
    ssize_t n = sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (client_result(n) == CLIENT_GONE)
        return CLIENT_GONE;
    client->last = !client->request.keep;
    client_keep_rest(client, answer->parts, answer->n_parts, n > 0 ? (size_t)n : 0);
    return client_end(client);
}

int client_pass(struct client *client, struct answer *answer, int fd)
{
    const struct msghdr message = {.msg_iov = answer->parts, .msg_iovlen = answer->n_parts};
    ssize_t n = descriptor_send(client->fd, &message, fd);

    if (n < 0 && errno == ETOOMANYREFS)
        return CLIENT_WAIT;
    client->last = !client->request.keep;
    return n == (ssize_t)answer_size(answer) ? client_end(client) : CLIENT_GONE;
}

int client_offer(struct client *client, const void *data, size_t size)
{
    int r = client_result(send(client->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL));

    return r == CLIENT_GONE ? r : 0;
}

int client_flush(struct client *client)
{
    ssize_t n = send(client->fd, client->rest + client->rest_sent,
                     client->rest_size - client->rest_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0)
        client->rest_sent += (size_t)n;
    if (client->rest_sent == client->rest_size) {
        g_clear_pointer(&client->rest, g_free);
        client->rest_size = client->rest_sent = 0;
    }
    return n > 0 ? client_end(client) : client_result(n);
}
