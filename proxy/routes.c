/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Routes. Ours are marked by their protocol, so that those of an earlier process are found again.
 * When a route or a link of the host changes, ranges without one are checked again.
 */
#include "routes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/util/log.h"
#include "netlink.h"

/* rtm_protocol: the creator of a route; `ip route` shows it as a number. */
#define PROTOCOL_OURS 107

struct routes {
    struct netlink netlink, news; /* the latter: of routes and links */
    sd_event_source *source;
    GArray *wanted, *ours; /* struct address_range */
    GArray *impossible;    /* those without a route that it was said of */
};

static unsigned own_prefix(const struct address_range *range)
{
    return address_is_inet(&range->base) ? range->prefix - 96 : range->prefix;
}

/* ranges->len: not there. */
static guint find_range(const GArray *ranges, const struct address_range *range)
{
    guint i;

    for (i = 0; i < ranges->len; i++) {
        const struct address_range *other = &g_array_index(ranges, struct address_range, i);

        if (other->prefix == range->prefix && address_compare(&other->base, &range->base) == 0)
            break;
    }
    return i;
}

static bool contains(const GArray *ranges, const struct address_range *range)
{
    return find_range(ranges, range) < ranges->len;
}

static void forget(GArray *ranges, const struct address_range *range)
{
    guint i = find_range(ranges, range);

    if (i < ranges->len)
        g_array_remove_index_fast(ranges, i);
}

static struct rtmsg *start(char *buffer, uint16_t type, uint8_t family, struct nlmsghdr **messagep)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

    message->nlmsg_type = type;
    struct rtmsg *route = mnl_nlmsg_put_extra_header(message, sizeof *route);
    route->rtm_family = family;
    *messagep = message;
    return route;
}

static uint8_t family_of(const struct address *address)
{
    return address_is_inet(address) ? AF_INET : AF_INET6;
}

/* The last address: the first may have a route of its own, as 10.96.0.1 of a cluster sometimes. */
static struct address last_of(const struct address_range *range)
{
    struct address address = range->base;

    for (unsigned bit = range->prefix; bit < 128; bit++)
        address.bytes[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
    address.bytes[15] &= 0xfe; /* not the one that looks like a broadcast address */
    return address;
}

static bool has_route(struct routes *routes, const struct address_range *range)
{
    char buffer[NETLINK_REQUEST_MAX] = {0};
    struct address address = last_of(range);
    struct nlmsghdr *message;
    struct rtmsg *route = start(buffer, RTM_GETROUTE, family_of(&address), &message);

    route->rtm_dst_len = address_is_inet(&address) ? 32 : 128;
    netlink_put_address(message, RTA_DST, &address);
    return netlink_ask(&routes->netlink, message, NULL, NULL) != -ENETUNREACH;
}

/* To this host itself, like 127.0.0.0/8: connections that are not translated are refused here. */
static int change(struct routes *routes, uint16_t type, const struct address_range *range)
{
    char buffer[NETLINK_REQUEST_MAX] = {0};
    struct nlmsghdr *message;
    struct rtmsg *route = start(buffer, type, family_of(&range->base), &message);

    route->rtm_dst_len = (uint8_t)own_prefix(range);
    route->rtm_table = RT_TABLE_LOCAL;
    route->rtm_type = RTN_LOCAL;
    route->rtm_scope = RT_SCOPE_HOST;
    route->rtm_protocol = PROTOCOL_OURS;
    if (type == RTM_NEWROUTE)
        message->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
    netlink_put_address(message, RTA_DST, &range->base);
    mnl_attr_put_u32(message, RTA_OIF, if_nametoindex("lo"));
    return netlink_ask(&routes->netlink, message, NULL, NULL);
}

/* It is tried at every change of the host's routes and links, and said once. */
static void complain(struct routes *routes, const struct address_range *range, const char *text,
                     int r)
{
    if (contains(routes->impossible, range))
        return;
    log_warning("%s has no route, and none can be added: %s; its addresses cannot be reached", text,
                g_strerror(-r));
    g_array_append_val(routes->impossible, *range);
}

static void add(struct routes *routes, const struct address_range *range)
{
    char text[ADDRESS_RANGE_TEXT_MAX];
    int r = change(routes, RTM_NEWROUTE, range);

    address_range_format(range, text);
    if (r < 0 && r != -EEXIST) {
        complain(routes, range, text, r);
        return;
    }
    forget(routes->impossible, range);
    if (!contains(routes->ours, range))
        g_array_append_val(routes->ours, *range);
    log_info("added a local route for %s, which had none", text);
}

static void remove_at(struct routes *routes, guint index)
{
    struct address_range range = g_array_index(routes->ours, struct address_range, index);
    char text[ADDRESS_RANGE_TEXT_MAX];
    int r = change(routes, RTM_DELROUTE, &range);

    address_range_format(&range, text);
    if (r < 0 && r != -ESRCH)
        log_warning("cannot remove the route for %s: %s", text, g_strerror(-r));
    g_array_remove_index_fast(routes->ours, index);
}

static void update(struct routes *routes)
{
    for (guint i = routes->ours->len; i-- > 0;)
        if (!contains(routes->wanted, &g_array_index(routes->ours, struct address_range, i)))
            remove_at(routes, i);
    for (guint i = 0; i < routes->wanted->len; i++) {
        const struct address_range *range = &g_array_index(routes->wanted, struct address_range, i);

        if (has_route(routes, range))
            forget(routes->impossible, range);
        else /* ours may be gone as well: lo was down */
            add(routes, range);
    }
}

void routes_want(struct routes *routes, const GArray *ranges)
{
    g_array_set_size(routes->wanted, 0);
    if (ranges->len > 0)
        g_array_append_vals(routes->wanted, ranges->data, ranges->len);
    update(routes);
}

/* --- Existing routes --- */

static int on_route(const struct nlmsghdr *message, void *userdata)
{
    struct routes *routes = userdata;
    const struct rtmsg *route = mnl_nlmsg_get_payload(message);
    const struct nlattr *attributes[RTA_DST + 1];
    struct address_range range = {.prefix = route->rtm_dst_len +
                                            (route->rtm_family == AF_INET ? 96u : 0u)};

    if (route->rtm_protocol != PROTOCOL_OURS || route->rtm_type != RTN_LOCAL)
        return MNL_CB_OK;
    netlink_attributes(message, sizeof *route, attributes, G_N_ELEMENTS(attributes));
    if (netlink_address(attributes[RTA_DST], &range.base) && !contains(routes->ours, &range))
        g_array_append_val(routes->ours, range);
    return MNL_CB_OK;
}

static int find(struct routes *routes, uint8_t family)
{
    char buffer[NETLINK_REQUEST_MAX] = {0};
    struct nlmsghdr *message;
    int r;

    (void)start(buffer, RTM_GETROUTE, family, &message);
    message->nlmsg_flags |= NLM_F_DUMP;
    r = netlink_ask(&routes->netlink, message, on_route, routes);
    return r == -EINTR ? 0 : r; /* others changed meanwhile */
}

/* All that matters is that something has changed. */
static int on_news(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct routes *routes = userdata;
    char buffer[4096];

    (void)source, (void)revents;
    while (recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0 || errno == ENOBUFS)
        errno = 0;
    update(routes);
    return 0;
}

static int listen_to_news(struct routes *routes, sd_event *event)
{
    int r = netlink_open(&routes->news, NETLINK_ROUTE,
                         RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);

    return r < 0 ? r
                 : sd_event_add_io(event, &routes->source, mnl_socket_get_fd(routes->news.socket),
                                   EPOLLIN, on_news, routes);
}

int routes_new(struct routes **routesp, sd_event *event)
{
    struct routes *routes = g_new0(struct routes, 1);
    int r;

    routes->wanted = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    routes->ours = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    routes->impossible = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    r = netlink_open(&routes->netlink, NETLINK_ROUTE, 0);
    if (r == 0)
        r = find(routes, AF_INET);
    if (r == 0)
        (void)find(routes, AF_INET6); /* it may be turned off */
    if (r == 0)
        r = listen_to_news(routes, event);
    if (r < 0) {
        routes_free(routes);
        return r;
    }
    *routesp = routes;
    return 0;
}

struct routes *routes_free(struct routes *routes)
{
    if (!routes)
        return NULL;
    sd_event_source_disable_unref(routes->source);
    netlink_close(&routes->news);
    netlink_close(&routes->netlink);
    g_array_unref(routes->wanted);
    g_array_unref(routes->ours);
    g_array_unref(routes->impossible);
    g_free(routes);
    return NULL;
}

void routes_remove(struct routes *routes)
{
    for (guint i = routes->ours->len; i-- > 0;)
        remove_at(routes, i);
}
