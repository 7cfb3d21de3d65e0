/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our end of NOTIFY_SOCKET. sd_notify(3) blocks while the service manager's queue is full; a stuck
 * or frozen service manager would thus stop every lookup of the host.
 */
#include "notify.h"

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
#include "timer.h"

#define AGAIN_USEC 100000u

/* A disk may take longer than the watchdog interval. */
#define WATCHDOG_INTERVALS 3u

struct notify {
    struct sockaddr_un address;
    socklen_t address_size; /* 0: none */
    char *waiting[2];       /* could not be sent yet: RELOADING=1, and what was said last */
    uint64_t watchdog_usec;
    sd_event_source *again, *watchdog;
    bool (*alive)(void *userdata, uint64_t usec);
    void *userdata;
};

/* A path, or "@" and an abstract name; a service manager on this machine has no other kind of
 * address. */
static void find_address(struct notify *notify)
{
    struct sockaddr_un *address = &notify->address;
    const char *path = getenv("NOTIFY_SOCKET");
    size_t length = path ? strlen(path) : 0;

    if (length < 2 || length >= sizeof address->sun_path || (*path != '/' && *path != '@'))
        return;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    if (*path == '@')
        address->sun_path[0] = '\0';
    notify->address_size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (*path == '/'));
}

/* `passed`: a descriptor to send along, or -1. False: try later. If the service manager is gone,
 * there will be no later either. */
static bool offer(const struct notify *notify, const char *text, int passed)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct iovec part = {.iov_base = (void *)text, .iov_len = strlen(text)};
    const struct msghdr message = {
        .msg_name = (void *)&notify->address,
        .msg_namelen = notify->address_size,
        .msg_iov = &part,
        .msg_iovlen = 1,
    };
    bool taken = true;

    if (fd < 0)
        return false;
    if (descriptor_send(fd, &message, passed) < 0)
        taken = errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM;
    close(fd);
    return taken;
}

static void offer_waiting(struct notify *notify)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(notify->waiting); i++) {
        if (notify->waiting[i] && !offer(notify, notify->waiting[i], -1)) {
            (void)timer_start(notify->again, AGAIN_USEC);
            return;
        }
        g_clear_pointer(&notify->waiting[i], g_free);
    }
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source, (void)usec;
    offer_waiting(userdata);
    return 0;
}

static int on_watchdog(sd_event_source *source, uint64_t usec, void *userdata)
{
    const struct notify *notify = userdata;

    (void)usec;
    if (notify->alive(notify->userdata, WATCHDOG_INTERVALS * notify->watchdog_usec))
        (void)offer(notify, "WATCHDOG=1", -1);
    return timer_start(source, notify->watchdog_usec / 3);
}

int notify_new(struct notify **notifyp, sd_event *event,
               bool (*alive)(void *userdata, uint64_t usec), void *userdata)
{
    struct notify *notify = g_new0(struct notify, 1);

    notify->alive = alive;
    notify->userdata = userdata;
    find_address(notify);
    int r = timer_new(&notify->again, event, 0, on_again, notify);
    if (r >= 0 && notify->address_size > 0 && sd_watchdog_enabled(0, &notify->watchdog_usec) > 0)
        r = sd_event_add_time_relative(event, &notify->watchdog, CLOCK_MONOTONIC, 0, 0, on_watchdog,
                                       notify);
    if (r < 0) {
        notify_free(notify);
        return r;
    }
    *notifyp = notify;
    return 0;
}

struct notify *notify_free(struct notify *notify)
{
    if (!notify)
        return NULL;
    sd_event_source_disable_unref(notify->again);
    sd_event_source_disable_unref(notify->watchdog);
    g_free(notify->waiting[0]);
    g_free(notify->waiting[1]);
    g_free(notify);
    return NULL;
}

bool notify_is_supervised(const struct notify *notify)
{
    return notify->address_size > 0;
}

bool notify_store_fd(struct notify *notify, const char *name, int fd)
{
    g_autofree char *text = g_strdup_printf("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);

    return notify->address_size == 0 || offer(notify, text, fd);
}

void notify_remove_fd(struct notify *notify, const char *name)
{
    g_autofree char *text = g_strdup_printf("FDSTOREREMOVE=1\nFDNAME=%s", name);

    if (notify->address_size > 0)
        (void)offer(notify, text, -1);
}

void notify_send(struct notify *notify, const char *format, ...)
{
    va_list arguments;

    if (notify->address_size == 0)
        return;
    g_free(notify->waiting[1]);
    va_start(arguments, format);
    notify->waiting[1] = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    offer_waiting(notify);
}

/* READY=1 means the end of the reload only to a service manager that was told of its start. */
void notify_reloading(struct notify *notify)
{
    if (notify->address_size == 0)
        return;
    g_free(notify->waiting[0]);
    notify->waiting[0] =
        g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
    g_clear_pointer(&notify->waiting[1], g_free);
    offer_waiting(notify);
}
