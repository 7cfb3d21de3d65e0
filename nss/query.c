/*
 * One question to the daemon: a connection made for it and closed after it, against one absolute
 * deadline. The process around it is a stranger's: it may have closed its standard descriptors, run
 * out of them, be hit by a signal a thousand times a second, or be sandboxed to what glibc's own
 * nscd client calls. So there is nothing but socket, connect, sendto, poll, read and close here
 * (guest rule 56; fcntl only where a standard descriptor must be avoided), each of them
 * non-blocking, and time passes in poll only.
 */
#include "query.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/resolve/name.h"

#define RETRY_MS 1

#define REQUEST_SIZE_MAX                                                                           \
    (sizeof(struct kubesvc_header) + sizeof(struct kubesvc_name_request) + KUBESVC_LABEL_MAX +     \
     KUBESVC_NAME_MAX + 1)

struct request {
    size_t size;
    uint8_t bytes[REQUEST_SIZE_MAX];
};

/* When a lookup of this process last timed out, in milliseconds of CLOCK_MONOTONIC; 0: none lately.
 * 32 bits, because that is what every processor can store at once without a helper library. */
static _Atomic uint32_t timed_out_at;

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void backoff_start(void)
{
    uint32_t now = (uint32_t)clock_ms();

    atomic_store_explicit(&timed_out_at, now ? now : 1, memory_order_relaxed);
}

static bool backoff_holds(void)
{
    uint32_t stamp = atomic_load_explicit(&timed_out_at, memory_order_relaxed);

    if (stamp == 0)
        return false;
    if ((uint32_t)clock_ms() - stamp < KUBESVC_BACKOFF_MS)
        return true;
    /* Forgotten, so that it does not come back when 32 bits of milliseconds have gone round. */
    atomic_compare_exchange_strong_explicit(&timed_out_at, &stamp, 0, memory_order_relaxed,
                                            memory_order_relaxed);
    return false;
}

static enum query_result result_of_errno(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS: return QUERY_EXHAUSTED;
    default: return QUERY_ABSENT;
    }
}

static bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

/* Waits until `events` happen, or for `pause` milliseconds where that is not 0, or to the deadline.
 * A signal ends the wait like an event: the caller tries again, and comes back here. */
static enum query_result query_wait(struct query *query, short events, int pause)
{
    struct pollfd descriptor = {.fd = query->fd, .events = events};
    int64_t left = query->deadline - clock_ms();

    if (left <= 0) {
        /* At the limit the daemon is well and still PENDING: no reason to leave it alone. */
        if (query->deadline < query->limit)
            backoff_start();
        return QUERY_SLOW;
    }
    if (pause > 0 && left > pause)
        left = pause;
    if (poll(pause > 0 ? NULL : &descriptor, pause > 0 ? 0 : 1, (int)left) < 0 && errno != EINTR)
        return result_of_errno(errno);
    return QUERY_ANSWERED;
}

/* A socket above the standard descriptors: in a program that closed its stdout, printf would talk
 * to the daemon (guest rule 43). */
static int socket_new(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;

    close(fd);
    /* EINVAL: the limit of descriptors is not above the standard ones. */
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

/* A full backlog says EAGAIN at once, and poll knows no event for its end (guest rule 41). */
static enum query_result query_connect(struct query *query)
{
    struct sockaddr_un address;

    if (!socket_address(&address))
        return QUERY_ABSENT;
    query->fd = socket_new();
    if (query->fd < 0)
        return result_of_errno(errno);
    for (;;) {
        if (connect(query->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
            return QUERY_ANSWERED;
        if (errno == EINTR)
            continue;
        if (!would_block(errno))
            return result_of_errno(errno);
        enum query_result result = query_wait(query, 0, RETRY_MS);

        if (result != QUERY_ANSWERED)
            return result;
    }
}

static enum query_result query_send(struct query *query, const struct request *request)
{
    for (size_t sent = 0; sent < request->size;) {
        ssize_t n = send(query->fd, request->bytes + sent, request->size - sent, MSG_NOSIGNAL);

        if (n >= 0) {
            sent += (size_t)n;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (!would_block(errno))
            return result_of_errno(errno);
        enum query_result result = query_wait(query, POLLOUT, 0);

        if (result != QUERY_ANSWERED)
            return result;
    }
    return QUERY_ANSWERED;
}

/* What is there already is taken even after the deadline: then it was this process that slept, not
 * the daemon. */
enum query_result query_receive(struct query *query, void *to, size_t size)
{
    for (size_t received = 0; received < size;) {
        ssize_t n = read(query->fd, (uint8_t *)to + received, size - received);

        if (n == 0)
            return QUERY_ABSENT;
        if (n < 0 && !would_block(errno) && errno != EINTR)
            return result_of_errno(errno);
        if (n > 0)
            received += (size_t)n;
        if (received == size)
            break;
        enum query_result result = query_wait(query, POLLIN, 0);

        if (result != QUERY_ANSWERED)
            return result;
    }
    return QUERY_ANSWERED;
}

static void request_append(struct request *request, const void *data, size_t size)
{
    memcpy(request->bytes + request->size, data, size);
    request->size += size;
}

/* The namespace that the environment names; 0 bytes where it names none that could exist. */
static uint8_t environment_namespace(char label[static KUBESVC_LABEL_MAX])
{
    const char *value = secure_getenv("KUBESVC_NAMESPACE");
    size_t length = value ? strlen(value) : 0;

    if (length > KUBESVC_LABEL_MAX || !name_is_valid(value, length) || strpbrk(value, "._") ||
        value[length - 1] == '-')
        return 0;
    for (size_t i = 0; i < length; i++)
        label[i] = name_fold(value[i]);
    return (uint8_t)length;
}

static void request_append_name(struct request *request, const struct query_question *question,
                                uint32_t room)
{
    char namespace[KUBESVC_LABEL_MAX];
    struct kubesvc_name_request body = {
        .room = htole32(room),
        .family = (uint8_t)question->family,
        .namespace_length = environment_namespace(namespace),
        .name_length = (uint8_t)question->name_length,
    };

    request_append(request, &body, sizeof(body));
    request_append(request, namespace, body.namespace_length);
    request_append(request, question->name, body.name_length);
}

static void request_append_address(struct request *request, const struct query_question *question)
{
    struct kubesvc_address_request body = {.family = (uint8_t)question->family};

    memcpy(body.address, question->address, sizeof(body.address));
    request_append(request, &body, sizeof(body));
}

static void request_make(struct request *request, const struct query_question *question,
                         uint32_t room)
{
    struct kubesvc_header header = {
        .magic = htole32(KUBESVC_MAGIC),
        .version = KUBESVC_PROTOCOL_VERSION,
        .type = (uint8_t)question->type,
    };

    request->size = sizeof(header);
    if (question->type == KUBESVC_REQUEST_NAME)
        request_append_name(request, question, room);
    else
        request_append_address(request, question);
    header.length = htole32((uint32_t)(request->size - sizeof(header)));
    memcpy(request->bytes, &header, sizeof(header));
}

/* Are these counts of addresses an answer to this question? */
static bool counts_fit_question(const struct query_answer *answer,
                                const struct query_question *question)
{
    uint64_t addresses = (uint64_t)answer->inet + answer->inet6;

    if (question->type == KUBESVC_REQUEST_ADDRESS)
        return addresses == 0;
    return addresses >= 1 && addresses <= KUBESVC_ADDRESSES_MAX &&
           (answer->inet == 0 || question->family != KUBESVC_FAMILY_INET6) &&
           (answer->inet6 == 0 || question->family != KUBESVC_FAMILY_INET);
}

/* What the strings are, and what an unknown status means, is for those who look at them. */
static bool answer_is_sound(const struct query_answer *answer,
                            const struct query_question *question, uint32_t payload)
{
    uint64_t addresses_size = 4 * (uint64_t)answer->inet + 16 * (uint64_t)answer->inet6;

    if (answer->status == KUBESVC_STATUS_FOUND) {
        if (answer->names < 1 || answer->names > KUBESVC_NAMES_MAX ||
            answer->names_size > KUBESVC_NAMES_SIZE_MAX || !counts_fit_question(answer, question))
            return false;
    } else if (answer->withheld || answer->names || answer->names_size || addresses_size) {
        return false;
    }
    return payload == sizeof(struct kubesvc_answer) + answer->names_size +
                          (answer->withheld ? 0 : addresses_size);
}

static enum query_result query_receive_answer(struct query *query,
                                              const struct query_question *question,
                                              uint32_t payload, struct query_answer *answer)
{
    struct kubesvc_answer wire;

    if (payload < sizeof(wire))
        return QUERY_ABSENT;
    enum query_result result = query_receive(query, &wire, sizeof(wire));

    if (result != QUERY_ANSWERED)
        return result;
    *answer = (struct query_answer){
        .status = wire.status,
        .withheld = wire.flags & KUBESVC_ANSWER_WITHHELD,
        .names = le16toh(wire.names),
        .names_size = le32toh(wire.names_size),
        .inet = le32toh(wire.inet),
        .inet6 = le32toh(wire.inet6),
    };
    return answer_is_sound(answer, question, payload) ? QUERY_ANSWERED : QUERY_ABSENT;
}

/* PENDING says that the daemon waits for somebody itself. False: for too long. */
static bool query_extend(struct query *query)
{
    int64_t now = clock_ms();

    query->deadline = now + KUBESVC_DEADLINE_MS;
    if (query->deadline > query->limit)
        query->deadline = query->limit;
    return now < query->limit;
}

/* Reads frames until one that is not PENDING. UNSUPPORTED comes in a version of the daemon's own.
 */
static enum query_result query_receive_head(struct query *query,
                                            const struct query_question *question,
                                            struct query_answer *answer)
{
    for (;;) {
        struct kubesvc_header header;
        enum query_result result = query_receive(query, &header, sizeof(header));

        if (result != QUERY_ANSWERED)
            return result;
        if (le32toh(header.magic) != KUBESVC_MAGIC || header.version != KUBESVC_PROTOCOL_VERSION)
            return QUERY_ABSENT;
        if (header.type == KUBESVC_RESPONSE_ANSWER)
            return query_receive_answer(query, question, le32toh(header.length), answer);
        if (header.type != KUBESVC_RESPONSE_PENDING || header.length != 0)
            return QUERY_ABSENT;
        if (!query_extend(query))
            return QUERY_SLOW;
    }
}

struct query query_new(void)
{
    int64_t now = clock_ms();

    return (struct query){
        .fd = -1,
        .deadline = now + KUBESVC_DEADLINE_MS,
        .limit = now + KUBESVC_PENDING_MAX_MS,
    };
}

enum query_result query_ask(struct query *query, const struct query_question *question,
                            uint32_t room, struct query_answer *answer)
{
    struct request request;

    if (backoff_holds())
        return QUERY_SLOW;
    enum query_result result = query_connect(query);

    if (result != QUERY_ANSWERED)
        return result;
    request_make(&request, question, room);
    result = query_send(query, &request);
    if (result != QUERY_ANSWERED)
        return result;
    return query_receive_head(query, question, answer);
}

void query_hang_up(struct query *query)
{
    if (query->fd < 0)
        return;
    close(query->fd);
    query->fd = -1;
}
