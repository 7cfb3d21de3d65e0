/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One c-ares channel for each lookup, created on demand: lookups are so rare that keeping one gains
 * nothing, and so it always asks the current nameservers.
 */
#include "hosts.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/time.h>

#define TRIES 2
#define TIMEOUT_MS 2000
#define ADDRESSES_MAX 16

struct hosts {
    sd_event *event;
    sd_event_source *timer, *finish;
    GHashTable *sockets; /* descriptor -> sd_event_source */
    ares_channel channel;
    bool open;
    char *addresses, *problem; /* the outcome, until it is reported */
    hosts_found found;
    void *userdata;
};

static void hosts_arm(struct hosts *hosts)
{
    struct timeval left, *next = ares_timeout(hosts->channel, NULL, &left);

    if (!next) {
        (void)sd_event_source_set_enabled(hosts->timer, SD_EVENT_OFF);
        return;
    }
    (void)sd_event_source_set_time_relative(hosts->timer, (uint64_t)next->tv_sec * 1000000 +
                                                              (uint64_t)next->tv_usec);
    (void)sd_event_source_set_enabled(hosts->timer, SD_EVENT_ONESHOT);
}

static int on_socket(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct hosts *hosts = userdata;

    (void)source;
    ares_process_fd(hosts->channel, revents & ~(uint32_t)EPOLLOUT ? fd : ARES_SOCKET_BAD,
                    revents & EPOLLOUT ? fd : ARES_SOCKET_BAD);
    hosts_arm(hosts);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct hosts *hosts = userdata;

    (void)source;
    (void)usec;
    ares_process_fd(hosts->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    hosts_arm(hosts);
    return 0;
}

static void unwatch(void *source)
{
    sd_event_source_disable_unref(source);
}

static void on_state(void *userdata, ares_socket_t fd, int readable, int writable)
{
    struct hosts *hosts = userdata;
    sd_event_source *source = g_hash_table_lookup(hosts->sockets, GINT_TO_POINTER(fd));
    uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);

    if (events == 0)
        g_hash_table_remove(hosts->sockets, GINT_TO_POINTER(fd));
    else if (source)
        (void)sd_event_source_set_io_events(source, events);
    else if (sd_event_add_io(hosts->event, &source, fd, events, on_socket, hosts) >= 0)
        g_hash_table_insert(hosts->sockets, GINT_TO_POINTER(fd), source);
}

static char *list_addresses(const struct ares_addrinfo *info)
{
    g_autoptr(GString) list = g_string_new(NULL);
    unsigned n = 0;

    for (const struct ares_addrinfo_node *node = info->nodes; node && n < ADDRESSES_MAX;
         node = node->ai_next) {
        char text[INET6_ADDRSTRLEN];
        const void *address = node->ai_addr;
        bool six = node->ai_family == AF_INET6;

        if (!six && node->ai_family != AF_INET)
            continue;
        address = six ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                      : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
        if (!inet_ntop(node->ai_family, address, text, sizeof text))
            continue;
        g_string_append_printf(list, six ? "%s[%s]" : "%s%s", n++ ? "," : "", text);
    }
    return n > 0 ? g_string_free(g_steal_pointer(&list), FALSE) : NULL;
}

/* Told from the event loop: a channel cannot be destroyed in its own callback. */
static void on_answer(void *userdata, int status, int timeouts, struct ares_addrinfo *info)
{
    struct hosts *hosts = userdata;

    (void)timeouts;
    if (status == ARES_EDESTRUCTION)
        return;
    if (status == ARES_SUCCESS && info)
        hosts->addresses = list_addresses(info);
    if (info)
        ares_freeaddrinfo(info);
    if (!hosts->addresses)
        hosts->problem =
            g_strdup(status == ARES_SUCCESS ? "it has no address" : ares_strerror(status));
    (void)sd_event_source_set_enabled(hosts->finish, SD_EVENT_ONESHOT);
}

static void hosts_close(struct hosts *hosts)
{
    if (hosts->open)
        ares_destroy(hosts->channel);
    hosts->open = false;
    g_hash_table_remove_all(hosts->sockets);
    (void)sd_event_source_set_enabled(hosts->timer, SD_EVENT_OFF);
    (void)sd_event_source_set_enabled(hosts->finish, SD_EVENT_OFF);
    g_clear_pointer(&hosts->addresses, g_free);
    g_clear_pointer(&hosts->problem, g_free);
}

static int on_finish(sd_event_source *source, void *userdata)
{
    struct hosts *hosts = userdata;
    g_autofree char *addresses = g_steal_pointer(&hosts->addresses);
    g_autofree char *problem = g_steal_pointer(&hosts->problem);

    (void)source;
    hosts_close(hosts);
    hosts->found(hosts->userdata, addresses, problem);
    return 0;
}

int hosts_new(struct hosts **hostsp, sd_event *event)
{
    struct hosts *hosts;
    int r;

    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        return -ENOMEM;
    hosts = g_new0(struct hosts, 1);
    hosts->event = sd_event_ref(event);
    hosts->sockets = g_hash_table_new_full(NULL, NULL, NULL, unwatch);
    r = sd_event_add_time(event, &hosts->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, hosts);
    if (r >= 0)
        r = sd_event_source_set_enabled(hosts->timer, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_defer(event, &hosts->finish, on_finish, hosts);
    if (r >= 0)
        r = sd_event_source_set_enabled(hosts->finish, SD_EVENT_OFF);
    if (r < 0) {
        hosts_free(hosts);
        return r;
    }
    *hostsp = hosts;
    return 0;
}

struct hosts *hosts_free(struct hosts *hosts)
{
    if (!hosts)
        return NULL;
    hosts_close(hosts);
    sd_event_source_disable_unref(hosts->timer);
    sd_event_source_disable_unref(hosts->finish);
    g_hash_table_unref(hosts->sockets);
    sd_event_unref(hosts->event);
    g_free(hosts);
    ares_library_cleanup();
    return NULL;
}

int hosts_find(struct hosts *hosts, const char *name, hosts_found found, void *userdata)
{
    static char lookups[] = "fb"; /* the hosts file, then DNS */
    struct ares_options options = {
        .timeout = TIMEOUT_MS,
        .tries = TRIES,
        .lookups = lookups,
        .sock_state_cb = on_state,
        .sock_state_cb_data = hosts,
    };
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

    hosts_close(hosts);
    if (ares_init_options(&hosts->channel, &options,
                          ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                              ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS)
        return -EIO;
    hosts->open = true;
    hosts->found = found;
    hosts->userdata = userdata;
    ares_getaddrinfo(hosts->channel, name, NULL, &hints, on_answer, hosts);
    hosts_arm(hosts);
    return 0;
}
