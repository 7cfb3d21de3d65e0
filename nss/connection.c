/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection of one lookup, opened for it and closed after it, against one absolute deadline.
 * It runs inside a foreign process, which may have closed its standard descriptors, run out of
 * them, be hit by a signal a thousand times a second, or be sandboxed to what glibc's own nscd
 * client calls. So only socket, connect, sendto, poll, read, recvmsg and close are used here (guest
 * rule 56; fcntl only where a standard descriptor must be avoided), all of them non-blocking; only
 * poll waits. The exception is a full backlog, which poll cannot wait for: setsockopt and fcntl let
 * connect wait a few milliseconds, where they are allowed.
 */
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <kubesvc/limits.h>

#define RETRY_MS 1

/* When a lookup of this process last timed out, in milliseconds of CLOCK_MONOTONIC; 0: not
 * recently. 32 bits, which every processor can store atomically without a helper library. */
static _Atomic uint32_t timed_out_at;

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint32_t connection_stamp(void)
{
    uint32_t now = (uint32_t)clock_ms();

    return now ? now : 1;
}

static void backoff_start(void)
{
    atomic_store_explicit(&timed_out_at, connection_stamp(), memory_order_relaxed);
}

static bool backoff_holds(void)
{
    uint32_t stamp = atomic_load_explicit(&timed_out_at, memory_order_relaxed);

    if (stamp == 0)
        return false;
    if ((uint32_t)clock_ms() - stamp < KUBESVC_BACKOFF_MS)
        return true;
    /* Cleared, so that it does not look recent again when 32 bits of milliseconds wrap around. */
    atomic_compare_exchange_strong_explicit(&timed_out_at, &stamp, 0, memory_order_relaxed,
                                            memory_order_relaxed);
    return false;
}

static enum connection_result result_of_errno(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS: return CONNECTION_EXHAUSTED;
    default: return CONNECTION_REFUSED;
    }
}

/* A socket that does not exist or that this process may not use means that it has no daemon. A
 * socket that refuses belonged to a daemon that has just died. */
static enum connection_result result_of_connect(int error)
{
    enum connection_result result = result_of_errno(error);

    return result == CONNECTION_REFUSED && error != ECONNREFUSED && error != ECONNRESET
               ? CONNECTION_ABSENT
               : result;
}

static bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

/* Is it time to check for signals, and is one pending? */
static bool is_urged(struct connection *connection, int64_t now)
{
    if (now < connection->look)
        return false;
    connection->look = now + GUARD_MS;
    return connection->guard && guard_is_urged(connection->guard);
}

/* Waits until `events` happen, for `pause` milliseconds if that is not 0, until the deadline, or
 * until it is time to check for signals; the caller then tries again and comes back here. */
static enum connection_result connection_wait(struct connection *connection, short events,
                                              int pause)
{
    struct pollfd descriptor = {.fd = connection->fd, .events = events};
    int64_t now = clock_ms(), left = connection->deadline - now;

    if (left <= 0) {
        /* At the limit the daemon is healthy and the answer still PENDING: no reason to leave it
         * alone. */
        if (connection->deadline < connection->limit)
            backoff_start();
        return CONNECTION_SLOW;
    }
    if (is_urged(connection, now))
        return CONNECTION_URGED;
    if (left > connection->look - now)
        left = connection->look - now;
    if (pause > 0 && left > pause)
        left = pause;
    if (poll(pause > 0 ? NULL : &descriptor, pause > 0 ? 0 : 1, (int)left) < 0 && errno != EINTR)
        return result_of_errno(errno);
    return CONNECTION_OK;
}

/* A descriptor above the standard ones: in a program that closed its stdout, printf would talk to
 * the daemon (guest rule 43). */
static int above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;

    close(fd);
    /* EINVAL: the descriptor limit leaves no room above the standard ones. */
    errno = error == EINVAL ? EMFILE : error;
    return moved;
}

static bool socket_address(struct sockaddr_un *address)
{
    const char *path = secure_getenv("KUBESVC_SOCKET");

    if (!path || !*path)
        path = KUBESVC_SOCKET_PATH;
    size_t length = strlen(path);

    if (length >= sizeof(address->sun_path))
        return false;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, length);
    return true;
}

/* From now on connect waits a little. False: a sandbox does not allow that. */
static bool let_connect_wait(int fd)
{
    const struct timeval limit = {.tv_usec = RETRY_MS * 1000};

    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
           fcntl(fd, F_SETFL, 0) == 0;
}

/* With a full backlog, connect fails at once on a non-blocking socket, and poll does not wait
 * (guest rule 41). On a blocking one it waits, and the kernel lets in one after the other; a client
 * that sleeps and tries again loses its turn to each that happens to connect meanwhile. But a
 * thousand processes of one user may be waiting already, so this is tried once only. */
static int connect_in_line(int fd, const struct sockaddr_un *address)
{
    int r, error;

    if (!let_connect_wait(fd)) {
        errno = EAGAIN;
        return -1;
    }
    r = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    error = errno;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    errno = error;
    return r;
}

enum connection_result connection_connect(struct connection *connection)
{
    struct sockaddr_un address;

    if (backoff_holds())
        return CONNECTION_SLOW;
    if (!socket_address(&address))
        return CONNECTION_ABSENT;
    connection->look = clock_ms() + GUARD_MS;
    connection->fd = above_standard(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (connection->fd < 0)
        return result_of_connect(errno);
    int r = connect(connection->fd, (const struct sockaddr *)&address, sizeof(address));

    if (r < 0 && would_block(errno))
        r = connect_in_line(connection->fd, &address);
    while (r < 0 && (would_block(errno) || errno == EINTR)) {
        enum connection_result result = connection_wait(connection, 0, RETRY_MS);

        if (result != CONNECTION_OK)
            return result;
        r = connect(connection->fd, (const struct sockaddr *)&address, sizeof(address));
    }
    return r == 0 ? CONNECTION_OK : result_of_connect(errno);
}

enum connection_result connection_send(struct connection *connection, const void *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(connection->fd, (const uint8_t *)data + sent, size - sent, MSG_NOSIGNAL);

        if (n >= 0) {
            sent += (size_t)n;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (!would_block(errno))
            return result_of_errno(errno);
        enum connection_result result = connection_wait(connection, POLLOUT, 0);

        if (result != CONNECTION_OK)
            return result;
    }
    return CONNECTION_OK;
}

/* Data that has already arrived is read even after the deadline: then this process slept, not the
 * daemon. */
enum connection_result connection_receive(struct connection *connection, void *to, size_t size)
{
    for (size_t received = 0; received < size;) {
        ssize_t n = read(connection->fd, (uint8_t *)to + received, size - received);

        if (n == 0)
            return CONNECTION_REFUSED;
        if (n < 0 && !would_block(errno) && errno != EINTR)
            return result_of_errno(errno);
        if (n > 0)
            received += (size_t)n;
        if (received == size)
            break;
        enum connection_result result = connection_wait(connection, POLLIN, 0);

        if (result != CONNECTION_OK)
            return result;
    }
    return CONNECTION_OK;
}

/* Checks for signals as well: frames that have all arrived already are read without a wait. */
enum connection_result connection_extend(struct connection *connection)
{
    int64_t now = clock_ms();

    connection->deadline = now + KUBESVC_DEADLINE_MS;
    if (connection->deadline > connection->limit)
        connection->deadline = connection->limit;
    if (now >= connection->limit)
        return CONNECTION_SLOW;
    return is_urged(connection, now) ? CONNECTION_URGED : CONNECTION_OK;
}

/* Room for one descriptor only: CMSG_SPACE would leave room for two. If several are sent, the
 * kernel closes the others and sets MSG_CTRUNC; then the peer is not our daemon. */
static ssize_t receive_with_descriptor(int socket, void *to, size_t size, int *fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = to, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = CMSG_LEN(sizeof(int)),
    };
    ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *first = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;

    if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS &&
        first->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(fd, CMSG_DATA(first), sizeof(*fd));
    if (n > 0 && *fd >= 0 && (message.msg_flags & MSG_CTRUNC) != 0) {
        close(*fd);
        *fd = -1;
    }
    return n;
}

enum connection_result connection_receive_descriptor(struct connection *connection, void *to,
                                                     size_t size, int *fd)
{
    enum connection_result result = CONNECTION_OK;

    *fd = -1;
    while (result == CONNECTION_OK) {
        ssize_t n = receive_with_descriptor(connection->fd, to, size, fd);

        if (n > 0) {
            *fd = above_standard(*fd);
            return connection_receive(connection, (uint8_t *)to + n, size - (size_t)n);
        }
        if (n == 0)
            return CONNECTION_REFUSED;
        if (!would_block(errno) && errno != EINTR)
            return result_of_errno(errno);
        result = connection_wait(connection, POLLIN, 0);
    }
    return result;
}

struct connection connection_new(const struct guard *guard)
{
    int64_t now = clock_ms();

    return (struct connection){
        .fd = -1,
        .deadline = now + KUBESVC_DEADLINE_MS,
        .limit = now + KUBESVC_PENDING_MAX_MS,
        .guard = guard,
    };
}

void connection_close(struct connection *connection)
{
    if (connection->fd < 0)
        return;
    close(connection->fd);
    connection->fd = -1;
}
