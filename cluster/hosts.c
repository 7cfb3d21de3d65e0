/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One c-ares channel for each lookup, created on demand: lookups are so rare that keeping one gains
 * nothing, and so it always asks the current nameservers.
 */
#include "hosts.h"

#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <stdbool.h>

#include "lib/util/ares_loop.h"
#include "lib/util/endpoint.h"

#define TRIES 2
#define TIMEOUT_MS 2000
#define ADDRESSES_MAX 16

struct hosts {
    struct ares_loop *loop;
    sd_event_source *finish;
    char *addresses, *problem; /* the outcome, until it is reported */
    hosts_found found;
    void *userdata;
};

static char *list_addresses(const struct ares_addrinfo *info)
{
    g_autoptr(GString) list = g_string_new(NULL);
    unsigned n = 0;

    for (const struct ares_addrinfo_node *node = info->nodes; node && n < ADDRESSES_MAX;
         node = node->ai_next) {
        char text[ADDRESS_TEXT_MAX];
        struct address address;

        if (node->ai_family != AF_INET && node->ai_family != AF_INET6)
            continue;
        endpoint_address((const union endpoint *)(const void *)node->ai_addr, &address);
        address_format(&address, text);
        g_string_append_printf(list, address_is_inet(&address) ? "%s%s" : "%s[%s]", n++ ? "," : "",
                               text);
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
    ares_loop_set(hosts->loop, NULL);
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
    struct hosts *hosts = g_new0(struct hosts, 1);
    int r = ares_loop_new(&hosts->loop, event);

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
    ares_loop_free(hosts->loop);
    sd_event_source_disable_unref(hosts->finish);
    g_free(hosts->addresses);
    g_free(hosts->problem);
    g_free(hosts);
    return NULL;
}

int hosts_find(struct hosts *hosts, const char *name, hosts_found found, void *userdata)
{
    static char lookups[] = "fb"; /* the hosts file, then DNS */
    struct ares_options options = {
        .timeout = TIMEOUT_MS,
        .tries = TRIES,
        .lookups = lookups,
        .sock_state_cb = ares_loop_on_state,
        .sock_state_cb_data = hosts->loop,
    };
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    ares_channel channel;

    hosts_close(hosts);
    if (ares_init_options(&channel, &options,
                          ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                              ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS)
        return -EIO;
    ares_loop_set(hosts->loop, channel);
    hosts->found = found;
    hosts->userdata = userdata;
    ares_getaddrinfo(channel, name, NULL, &hints, on_answer, hosts);
    ares_loop_arm(hosts->loop);
    return 0;
}
