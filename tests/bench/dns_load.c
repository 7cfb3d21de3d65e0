/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DNS questions by UDP: `dns_load ADDRESS PORT SECONDS RATE WINDOW <NAMES`. RATE 0: as many as are
 * answered, with WINDOW of them under way; else so many a second. Each line of standard input is a
 * name, asked in turn, of type A. Prints how many were sent, answered and answered wrongly (another
 * rcode than NOERROR, or no record), the seconds that it took, and of the times until the answer,
 * in microseconds, the median, the 99th percentile and the longest.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "ask.h"

#define SOCKETS 4
#define BATCH 64
#define IDS 65536
#define SAMPLES_MAX 20000000u
#define SECOND 1000000000ull
#define LOST (2 * SECOND) /* what takes longer is not waited for */
#define MESSAGE_MAX 300
#define RESPONSE_MAX 4096

struct message {
    uint8_t bytes[MESSAGE_MAX];
    size_t size;
};

struct connection {
    int fd;
    uint16_t next_id;
    unsigned under_way;
    uint64_t heard, since[IDS]; /* since: 0 when it is not under way */
};

static struct message *messages;
static size_t n_messages, turn;
static struct connection connections[SOCKETS];
static uint32_t *samples;
static size_t n_samples;
static uint64_t sent, wrong;

static void make_message(struct message *message, const char *name)
{
    static const uint8_t head[12] = {0, 0, 1, 0, 0, 1, [11] = 1};
    static const uint8_t tail[] = {0, 0,   1, 0, 1, 0, 0, 41,
                                   4, 208, 0, 0, 0, 0, 0, 0}; /* OPT 1232 */
    uint8_t *at = message->bytes + sizeof(head);

    CHECK(strlen(name) < 254);
    memcpy(message->bytes, head, sizeof(head));
    while (*name) {
        size_t length = strcspn(name, ".");

        *at++ = (uint8_t)length;
        memcpy(at, name, length);
        at += length;
        name += length + (name[length] == '.');
    }
    memcpy(at, tail, sizeof(tail));
    message->size = (size_t)(at - message->bytes) + sizeof(tail);
}

static void read_names(void)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        messages = realloc(messages, (n_messages + 1) * sizeof(*messages));
        CHECK(messages);
        make_message(&messages[n_messages++], line);
    }
    free(line);
    CHECK(n_messages > 0);
}

static void open_connection(struct connection *connection, const char *address, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int room = 4 << 20;

    connection->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(connection->fd >= 0 && inet_pton(AF_INET, address, &to.sin_addr) == 1);
    (void)setsockopt(connection->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    CHECK(connect(connection->fd, (const void *)&to, sizeof(to)) == 0);
}

/* Sends at most `n`. */
static void send_some(struct connection *connection, unsigned n)
{
    struct mmsghdr headers[BATCH] = {0};
    struct iovec parts[BATCH][2];
    uint8_t ids[BATCH][2];
    uint64_t time = now();

    n = n < BATCH ? n : BATCH;
    for (unsigned i = 0; i < n; i++) {
        struct message *message = &messages[turn++ % n_messages];
        uint16_t id = (uint16_t)(connection->next_id + i);

        ids[i][0] = (uint8_t)(id >> 8);
        ids[i][1] = (uint8_t)id;
        parts[i][0] = (struct iovec){ids[i], 2};
        parts[i][1] = (struct iovec){message->bytes + 2, message->size - 2};
        headers[i].msg_hdr.msg_iov = parts[i];
        headers[i].msg_hdr.msg_iovlen = 2;
        connection->since[id] = time;
    }
    int done = sendmmsg(connection->fd, headers, n, 0);
    CHECK(done >= 0 || errno == EAGAIN || errno == ENOBUFS || errno == ECONNREFUSED);
    for (unsigned i = done < 0 ? 0 : (unsigned)done; i < n; i++)
        connection->since[(uint16_t)(connection->next_id + i)] = 0;
    if (done <= 0)
        return;
    connection->next_id = (uint16_t)(connection->next_id + done);
    connection->under_way += (unsigned)done;
    sent += (unsigned)done;
}

static void take(struct connection *connection, const uint8_t *answer, size_t size, uint64_t time)
{
    CHECK(size >= 12);
    uint16_t id = (uint16_t)(answer[0] << 8 | answer[1]);

    if (!connection->since[id])
        return; /* given up */
    if ((answer[3] & 15) != 0 || (answer[6] | answer[7]) == 0)
        wrong++;
    if (n_samples < SAMPLES_MAX)
        samples[n_samples++] = (uint32_t)((time - connection->since[id]) / 10);
    connection->since[id] = 0;
    connection->under_way--;
    connection->heard = time;
}

static void receive_some(struct connection *connection)
{
    static uint8_t buffers[BATCH][RESPONSE_MAX];
    struct mmsghdr headers[BATCH] = {0};
    struct iovec parts[BATCH];
    int n;

    for (unsigned i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){buffers[i], RESPONSE_MAX};
        headers[i].msg_hdr.msg_iov = &parts[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
    while ((n = recvmmsg(connection->fd, headers, BATCH, MSG_DONTWAIT, NULL)) > 0) {
        uint64_t time = now();

        for (int i = 0; i < n; i++)
            take(connection, buffers[i], headers[i].msg_len, time);
    }
}

/* Waits until something comes, or `nanoseconds` have passed. */
static void wait_for(uint64_t nanoseconds)
{
    struct pollfd polled[SOCKETS];
    struct timespec time = {.tv_sec = (time_t)(nanoseconds / SECOND),
                            .tv_nsec = (long)(nanoseconds % SECOND)};

    for (unsigned i = 0; i < SOCKETS; i++)
        polled[i] = (struct pollfd){connections[i].fd, POLLIN, 0};
    (void)ppoll(polled, SOCKETS, &time, NULL);
    for (unsigned i = 0; i < SOCKETS; i++) {
        if (polled[i].revents)
            receive_some(&connections[i]);
    }
}

static void flood(uint64_t end, unsigned window)
{
    while (now() < end) {
        for (unsigned i = 0; i < SOCKETS; i++) {
            struct connection *connection = &connections[i];

            if (connection->under_way < window / SOCKETS)
                send_some(connection, window / SOCKETS - connection->under_way);
            else if (now() - connection->heard > LOST)
                connection->under_way = 0; /* they are counted as lost */
        }
        wait_for(SECOND / 10);
    }
}

static void pace(uint64_t start, uint64_t end, double rate)
{
    for (uint64_t time; (time = now()) < end;) {
        uint64_t due = (uint64_t)((double)(time - start) / 1e9 * rate), before = sent;

        if (due > sent)
            send_some(&connections[turn % SOCKETS], (unsigned)(due - sent));
        if (sent == before)
            wait_for((uint64_t)(1e9 / rate));
        else
            wait_for(0);
    }
}

static void drain(void)
{
    for (uint64_t end = now() + LOST; now() < end;) {
        unsigned under_way = 0;

        for (unsigned i = 0; i < SOCKETS; i++)
            under_way += connections[i].under_way;
        if (under_way == 0)
            return;
        wait_for(SECOND / 100);
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static double percentile(double part)
{
    size_t at = (size_t)((double)n_samples * part);

    return n_samples ? samples[at < n_samples ? at : n_samples - 1] / 100.0 : 0;
}

int main(int argc, char **argv)
{
    CHECK(argc == 6);
    double rate = atof(argv[4]);
    uint64_t start, end;

    read_names();
    samples = malloc(SAMPLES_MAX * sizeof(*samples));
    CHECK(samples);
    for (unsigned i = 0; i < SOCKETS; i++)
        open_connection(&connections[i], argv[1], (uint16_t)atoi(argv[2]));
    start = now();
    end = start + (uint64_t)(atof(argv[3]) * 1e9);
    for (unsigned i = 0; i < SOCKETS; i++)
        connections[i].heard = start;
    if (rate > 0)
        pace(start, end, rate);
    else
        flood(end, (unsigned)atoi(argv[5]));
    double seconds = (double)(now() - start) / 1e9;
    drain();
    qsort(samples, n_samples, sizeof(*samples), compare);
    printf("%llu %zu %llu %.6f %.1f %.1f %.1f\n", (unsigned long long)sent, n_samples,
           (unsigned long long)wrong, seconds, percentile(0.5), percentile(0.99), percentile(1));
}
