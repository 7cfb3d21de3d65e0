/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The supervisor's end of NOTIFY_SOCKET. sd_notify(3) waits while the supervisor's queue is full;
 * a supervisor that is stuck, or frozen for good, would so stop every lookup of the host with it.
 */
#include "supervisor.h"

#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "descriptor.h"

#define AGAIN_USEC 100000u

/* A disk may take longer than the time in which the supervisor wants to hear of the process. */
#define WATCHDOG_PATIENCE 3u

struct supervisor {
    struct sockaddr_un address;
    socklen_t address_size; /* 0: there is none */
    char *waiting;          /* could not be taken yet */
    uint64_t watchdog_usec;
    sd_event_source *again, *watchdog;
    bool (*alive)(void *userdata, uint64_t usec);
    void *userdata;
};

/* A path, or "@" and an abstract name; other kinds of addresses are not a supervisor's of this
 * machine. */
static void find_address(struct supervisor *supervisor)
{
    struct sockaddr_un *address = &supervisor->address;
    const char *path = getenv("NOTIFY_SOCKET");
    size_t length = path ? strlen(path) : 0;

    if (length < 2 || length >= sizeof address->sun_path || (*path != '/' && *path != '@'))
        return;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    if (*path == '@')
        address->sun_path[0] = '\0';
    supervisor->address_size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (*path == '/'));
}

/* `fd` goes with the text (-1: none). False: not now. A supervisor that is not there will not be
 * told later either. */
static bool offer(const struct supervisor *supervisor, const char *text, int fd)
{
    int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct iovec part = {.iov_base = (void *)text, .iov_len = strlen(text)};
    const struct msghdr message = {
        .msg_name = (void *)&supervisor->address,
        .msg_namelen = supervisor->address_size,
        .msg_iov = &part,
        .msg_iovlen = 1,
    };
    bool taken = true;

    if (notify < 0)
        return false;
    if (descriptor_send(notify, &message, fd) < 0)
        taken = errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM;
    close(notify);
    return taken;
}

static void offer_waiting(struct supervisor *supervisor)
{
    if (offer(supervisor, supervisor->waiting, -1)) {
        g_clear_pointer(&supervisor->waiting, g_free);
        return;
    }
    (void)sd_event_source_set_time_relative(supervisor->again, AGAIN_USEC);
    (void)sd_event_source_set_enabled(supervisor->again, SD_EVENT_ONESHOT);
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct supervisor *supervisor = userdata;

    (void)source, (void)usec;
    if (supervisor->waiting)
        offer_waiting(supervisor);
    return 0;
}

static int on_watchdog(sd_event_source *source, uint64_t usec, void *userdata)
{
    const struct supervisor *supervisor = userdata;

    (void)usec;
    if (supervisor->alive(supervisor->userdata, WATCHDOG_PATIENCE * supervisor->watchdog_usec))
        (void)offer(supervisor, "WATCHDOG=1", -1);
    int r = sd_event_source_set_time_relative(source, supervisor->watchdog_usec / 3);
    return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int supervisor_new(struct supervisor **supervisorp, sd_event *event,
                   bool (*alive)(void *userdata, uint64_t usec), void *userdata)
{
    struct supervisor *supervisor = g_new0(struct supervisor, 1);

    supervisor->alive = alive;
    supervisor->userdata = userdata;
    find_address(supervisor);
    int r =
        sd_event_add_time(event, &supervisor->again, CLOCK_MONOTONIC, 0, 0, on_again, supervisor);
    if (r >= 0)
        r = sd_event_source_set_enabled(supervisor->again, SD_EVENT_OFF);
    if (r >= 0 && supervisor->address_size > 0 &&
        sd_watchdog_enabled(0, &supervisor->watchdog_usec) > 0)
        r = sd_event_add_time_relative(event, &supervisor->watchdog, CLOCK_MONOTONIC, 0, 0,
                                       on_watchdog, supervisor);
    if (r < 0) {
        supervisor_free(supervisor);
        return r;
    }
    *supervisorp = supervisor;
    return 0;
}

struct supervisor *supervisor_free(struct supervisor *supervisor)
{
    if (!supervisor)
        return NULL;
    sd_event_source_disable_unref(supervisor->again);
    sd_event_source_disable_unref(supervisor->watchdog);
    g_free(supervisor->waiting);
    g_free(supervisor);
    return NULL;
}

bool supervisor_is_there(const struct supervisor *supervisor)
{
    return supervisor->address_size > 0;
}

void supervisor_store(struct supervisor *supervisor, const char *name, int fd)
{
    if (supervisor->address_size == 0)
        return;
    g_autofree char *remove = g_strdup_printf("FDSTOREREMOVE=1\nFDNAME=%s", name);
    g_autofree char *store = g_strdup_printf("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);

    (void)offer(supervisor, remove, -1);
    (void)offer(supervisor, store, fd);
}

void supervisor_tell(struct supervisor *supervisor, const char *format, ...)
{
    va_list arguments;

    if (supervisor->address_size == 0)
        return;
    g_free(supervisor->waiting);
    va_start(arguments, format);
    supervisor->waiting = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    offer_waiting(supervisor);
}
