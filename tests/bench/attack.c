/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One user who wants all of the daemon: `attack SOCKET MODE PROCESSES CONNECTIONS NAME`, until
 * stdin ends. Each process prints how many connections it made, how many could not be made, and how
 * many bytes came back.
 *
 *   keep     pipelines requests on CONNECTIONS and reads what it must
 *   large    asks for NAME on new connections, and leaves without reading the answer
 *   drip     sends one byte a millisecond on each of CONNECTIONS
 *   report   asks for the report NAME on CONNECTIONS, and reads nothing
 *   ask      connects, asks and leaves, as often as it can
 *   connect  connects and leaves, as often as it can
 *   queue    the same as ask, and waits where the backlog is full
 *   spin     connects, sends nothing and uses the processor: what the scheduler alone costs others
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "ask.h"
#include <kubesvc/inspect.h>
#include <kubesvc/protocol.h>

#define PIPELINED_MAX 1000

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static uint8_t request[2048];
static size_t request_size;
static unsigned long made, refused, received;

struct mode {
    const char *name;
    void (*step)(int *fd, size_t *offset); /* with one connection; may close it, which is -1 then */
    uint16_t flags;
    uint8_t type;
    enum { EAGER, PATIENT /* a round a millisecond */, WAITING /* in connect */ } how;
};

static int connect_once(const struct mode *mode)
{
    int fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (mode->how == WAITING ? 0 : SOCK_NONBLOCK), 0);

    CHECK(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        refused++;
        close(fd);
        return -1;
    }
    made++;
    return fd;
}

static void hang_up(int *fd)
{
    close(*fd);
    *fd = -1;
}

/* Reads what there is, and notices when the other side is gone. */
static void drain(int *fd)
{
    static char sink[1 << 18];

    for (;;) {
        ssize_t n = recv(*fd, sink, sizeof(sink), MSG_DONTWAIT);

        if (n == 0 || (n < 0 && errno != EAGAIN))
            hang_up(fd);
        if (n <= 0)
            return;
        received += (unsigned long)n;
    }
}

static void send_some(int *fd, size_t *offset, size_t size)
{
    ssize_t n = send(*fd, request + *offset, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0)
        *offset = (*offset + (size_t)n) % request_size;
    else if (n < 0 && errno != EAGAIN)
        hang_up(fd);
}

static void step_keep(int *fd, size_t *offset)
{
    send_some(fd, offset, request_size - *offset);
    if (*fd >= 0)
        drain(fd);
}

static void step_drip(int *fd, size_t *offset)
{
    send_some(fd, offset, 1);
    if (*fd >= 0)
        drain(fd);
}

static void step_leave(int *fd, size_t *offset)
{
    send_some(fd, offset, request_size - *offset);
    *offset = 0;
    if (*fd >= 0)
        hang_up(fd);
}

static void step_connect(int *fd, size_t *offset)
{
    (void)offset;
    hang_up(fd);
}

static void step_report(int *fd, size_t *offset)
{
    char byte;

    if (*offset == 0) {
        send_some(fd, offset, request_size);
        *offset = 1;
    } else if (recv(*fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
        hang_up(fd);
    }
}

static void step_spin(int *fd, size_t *offset)
{
    (void)fd;
    (void)offset;
}

static const struct mode modes[] = {
    {"keep", step_keep, KUBESVC_FLAG_KEEP, KUBESVC_REQUEST_NAME, EAGER},
    {"large", step_leave, 0, KUBESVC_REQUEST_NAME, EAGER},
    {"drip", step_drip, KUBESVC_FLAG_KEEP, KUBESVC_REQUEST_NAME, PATIENT},
    {"report", step_report, 0, KUBESVC_REQUEST_INSPECT, PATIENT},
    {"ask", step_leave, 0, KUBESVC_REQUEST_NAME, EAGER},
    {"queue", step_leave, 0, KUBESVC_REQUEST_NAME, WAITING},
    {"connect", step_connect, 0, KUBESVC_REQUEST_NAME, EAGER},
    {"spin", step_spin, 0, KUBESVC_REQUEST_NAME, EAGER},
};

static void append(const void *data, size_t size)
{
    CHECK(request_size + size <= sizeof(request));
    memcpy(request + request_size, data, size);
    request_size += size;
}

static void append_request(const struct mode *mode, const char *name)
{
    struct kubesvc_name_request body = {.room = KUBESVC_ADDRESSES_MAX,
                                        .name_length = (uint8_t)strlen(name)};
    struct kubesvc_header header = {.magic = KUBESVC_MAGIC,
                                    .version = KUBESVC_PROTOCOL_VERSION,
                                    .type = mode->type,
                                    .flags = mode->flags};

    if (mode->type == KUBESVC_REQUEST_INSPECT) {
        header.length = (uint32_t)strlen(name) + 1;
        append(&header, sizeof(header));
        append(name, header.length);
        return;
    }
    header.length = (uint32_t)(sizeof(body) + body.name_length);
    append(&header, sizeof(header));
    append(&body, sizeof(body));
    append(name, body.name_length);
}

static const struct mode *mode_of(const char *name)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i].name, name) == 0)
            return &modes[i];
    fprintf(stderr, "there is no mode %s\n", name);
    exit(1);
}

static void attack(const struct mode *mode, size_t n)
{
    struct pollfd end = {.fd = STDIN_FILENO, .events = POLLIN};
    int *fds = malloc(n * sizeof(*fds));
    size_t *offsets = calloc(n, sizeof(*offsets));

    CHECK(fds && offsets);
    memset(fds, -1, n * sizeof(*fds));
    while (poll(&end, 1, mode->how == PATIENT) == 0) {
        for (size_t i = 0; i < n; i++) {
            if (fds[i] < 0) {
                fds[i] = connect_once(mode);
                offsets[i] = 0;
            }
            if (fds[i] >= 0)
                mode->step(&fds[i], &offsets[i]);
        }
    }
    printf("%lu %lu %lu\n", made, refused, received);
    fflush(stdout);
    free(fds);
    free(offsets);
}

int main(int argc, char **argv)
{
    struct rlimit limit;

    CHECK(argc == 6 && strlen(argv[1]) < sizeof(address.sun_path));
    memcpy(address.sun_path, argv[1], strlen(argv[1]));
    const struct mode *mode = mode_of(argv[2]);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    do
        append_request(mode, argv[5]);
    while (strcmp(mode->name, "keep") == 0 && request_size < PIPELINED_MAX);
    for (int i = atoi(argv[3]); i > 1; i--)
        if (fork() == 0)
            break;
    attack(mode, strtoul(argv[4], NULL, 10));
    while (wait(NULL) > 0)
        continue;
    return 0;
}
