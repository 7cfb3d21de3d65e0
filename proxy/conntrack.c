/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UDP flows. Walks all flows tracked by the kernel, but only at the start and when a Service with a
 * UDP port has lost or gained an endpoint.
 */
#include "conntrack.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/util/hash.h"
#include "lib/util/log.h"
#include "netlink.h"

struct destination {
    struct address address;
    uint16_t port;
};

struct flow_end { /* one direction of a flow */
    struct address source, destination;
    uint16_t source_port, destination_port;
    uint8_t protocol;
};

struct conntrack_search {
    GHashTable *changed;  /* struct destination -> targets (ruleset_flow's) */
    const GArray *ranges; /* struct address_range, NULL: none */
    GPtrArray *found;     /* struct nlmsghdr *: requests that delete flows */
};

static guint destination_hash(gconstpointer data)
{
    const struct destination *destination = data;

    return hash_address(&destination->address) ^ destination->port;
}

static gboolean destination_equal(gconstpointer a, gconstpointer b)
{
    const struct destination *x = a, *y = b;

    return x->port == y->port && address_compare(&x->address, &y->address) == 0;
}

static void add_changed(void *userdata, const struct address *address, uint16_t port,
                        const char *targets)
{
    struct destination *destination = g_new0(struct destination, 1);

    destination->address = *address;
    destination->port = port;
    g_hash_table_replace(userdata, destination, g_strdup(targets));
}

static uint16_t read_port(const struct nlattr *attribute)
{
    bool good = attribute && mnl_attr_get_payload_len(attribute) == 2;

    return good ? ntohs(mnl_attr_get_u16(attribute)) : 0;
}

static void read_end(const struct nlattr *nest, struct flow_end *end)
{
    const struct nlattr *tuple[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1], *proto[CTA_PROTO_MAX + 1];

    *end = (struct flow_end){0};
    netlink_nested(nest, tuple, G_N_ELEMENTS(tuple));
    netlink_nested(tuple[CTA_TUPLE_IP], ip, G_N_ELEMENTS(ip));
    netlink_nested(tuple[CTA_TUPLE_PROTO], proto, G_N_ELEMENTS(proto));
    (void)netlink_address(ip[CTA_IP_V4_SRC] ? ip[CTA_IP_V4_SRC] : ip[CTA_IP_V6_SRC], &end->source);
    (void)netlink_address(ip[CTA_IP_V4_DST] ? ip[CTA_IP_V4_DST] : ip[CTA_IP_V6_DST],
                          &end->destination);
    end->source_port = read_port(proto[CTA_PROTO_SRC_PORT]);
    end->destination_port = read_port(proto[CTA_PROTO_DST_PORT]);
    if (proto[CTA_PROTO_NUM] && mnl_attr_get_payload_len(proto[CTA_PROTO_NUM]) == 1)
        end->protocol = mnl_attr_get_u8(proto[CTA_PROTO_NUM]);
}

static bool is_in_ranges(const GArray *ranges, const struct address *address)
{
    for (guint i = 0; ranges && i < ranges->len; i++)
        if (address_range_contains(&g_array_index(ranges, struct address_range, i), address))
            return true;
    return false;
}

/* Where the flow may lead; NULL: it may stay as it is. */
static const char *targets_of(const struct conntrack_search *search,
                              const struct flow_end *original, const struct flow_end *reply)
{
    struct destination sought = {.address = original->destination,
                                 .port = original->destination_port};
    const char *targets = g_hash_table_lookup(search->changed, &sought);
    bool forwarded = address_compare(&original->destination, &reply->source) != 0;

    if (!targets && forwarded && is_in_ranges(search->ranges, &original->destination))
        return "";
    return targets;
}

static bool is_stale(const struct conntrack_search *search, const struct flow_end *original,
                     const struct flow_end *reply)
{
    const char *targets =
        original->protocol == IPPROTO_UDP ? targets_of(search, original, reply) : NULL;
    char text[ADDRESS_TEXT_MAX];

    if (!targets)
        return false;
    address_format(&reply->source, text);
    g_autofree char *target = g_strdup_printf("\n%s . %u\n", text, reply->source_port);
    return !strstr(targets, target);
}

static struct nlmsghdr *new_request(unsigned type, uint8_t family)
{
    struct nlmsghdr *request = mnl_nlmsg_put_header(g_malloc0(NETLINK_REQUEST_MAX));
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header(request, sizeof *head);

    request->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
    head->nfgen_family = family;
    head->version = NFNETLINK_V0;
    return request;
}

/* This very flow, not one that has since replaced it. */
static void add_deletion(const struct conntrack_search *search, const struct nlmsghdr *message,
                         const struct nlattr *original, const struct nlattr *id)
{
    const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
    struct nlmsghdr *request = new_request(IPCTNL_MSG_CT_DELETE, head->nfgen_family);

    if (!mnl_attr_put_check(request, NETLINK_REQUEST_MAX, CTA_TUPLE_ORIG | NLA_F_NESTED,
                            mnl_attr_get_payload_len(original), mnl_attr_get_payload(original))) {
        g_free(request);
        return;
    }
    if (id && mnl_attr_get_payload_len(id) == 4)
        mnl_attr_put_u32(request, CTA_ID, mnl_attr_get_u32(id));
    g_ptr_array_add(search->found, request);
}

static int on_flow(const struct nlmsghdr *message, void *userdata)
{
    const struct conntrack_search *search = userdata;
    const struct nlattr *flow[CTA_MAX + 1];
    struct flow_end there, back;

    netlink_attributes(message, sizeof(struct nfgenmsg), flow, G_N_ELEMENTS(flow));
    read_end(flow[CTA_TUPLE_ORIG], &there);
    read_end(flow[CTA_TUPLE_REPLY], &back);
    if (is_stale(search, &there, &back))
        add_deletion(search, message, flow[CTA_TUPLE_ORIG], flow[CTA_ID]);
    return MNL_CB_OK;
}

static int forget(const struct conntrack_search *search)
{
    g_autofree struct nlmsghdr *all = new_request(IPCTNL_MSG_CT_GET, AF_UNSPEC);
    struct netlink netlink;
    int r = netlink_open(&netlink, NETLINK_NETFILTER, 0);

    if (r < 0)
        return r;
    all->nlmsg_flags |= NLM_F_DUMP;
    r = netlink_ask(&netlink, all, on_flow, (void *)(uintptr_t)search);
    for (guint i = 0; r == 0 && i < search->found->len; i++) {
        r = netlink_ask(&netlink, search->found->pdata[i], NULL, NULL);
        if (r == -ENOENT) /* it has ended meanwhile */
            r = 0;
    }
    netlink_close(&netlink);
    return r;
}

void conntrack_forget(const struct ruleset *ruleset, const GArray *ranges)
{
    g_autoptr(GHashTable) changed =
        g_hash_table_new_full(destination_hash, destination_equal, g_free, g_free);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    struct conntrack_search search = {.changed = changed, .ranges = ranges, .found = found};

    ruleset_flows(ruleset, add_changed, changed);
    if (g_hash_table_size(changed) == 0 && (!ranges || ranges->len == 0))
        return;
    int r = forget(&search);
    if (r < 0)
        log_warning("cannot delete UDP flows to endpoints that are gone: %s", g_strerror(-r));
}
