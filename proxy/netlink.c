/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Netlink requests, one at a time.
 */
#include "netlink.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* What libmnl suggests for dumps, which fill as much as they find. */
#define BUFFER_SIZE ((size_t)32768)

int netlink_open(struct netlink *netlink, int bus, unsigned groups)
{
    *netlink = (struct netlink){.socket = mnl_socket_open2(bus, SOCK_CLOEXEC)};
    if (!netlink->socket)
        return -errno;
    if (mnl_socket_bind(netlink->socket, groups, MNL_SOCKET_AUTOPID) == 0)
        return 0;
    int error = errno;
    netlink_close(netlink);
    return -error;
}

void netlink_close(struct netlink *netlink)
{
    if (netlink->socket)
        (void)mnl_socket_close(netlink->socket);
    netlink->socket = NULL;
}

int netlink_ask(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *userdata)
{
    g_autofree char *buffer = g_malloc(BUFFER_SIZE);
    unsigned port = mnl_socket_get_portid(netlink->socket);
    int r;

    request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    request->nlmsg_seq = ++netlink->sequence;
    if (mnl_socket_sendto(netlink->socket, request, request->nlmsg_len) < 0)
        return -errno;
    do {
        ssize_t n = mnl_socket_recvfrom(netlink->socket, buffer, BUFFER_SIZE);

        if (n < 0 && errno == EINTR) {
            r = MNL_CB_OK;
            continue;
        }
        if (n < 0)
            return -errno;
        const struct nlmsghdr *first = (const void *)buffer;

        r = MNL_CB_OK;
        if ((size_t)n >= sizeof *first && first->nlmsg_seq != netlink->sequence)
            continue; /* what is left of a request that was interrupted */
        r = mnl_cb_run(buffer, (size_t)n, netlink->sequence, port, each, userdata);
    } while (r > MNL_CB_STOP);
    return r < 0 ? -errno : 0;
}

struct attributes {
    const struct nlattr **table;
    unsigned n;
};

static int on_attribute(const struct nlattr *attribute, void *userdata)
{
    const struct attributes *attributes = userdata;

    if (mnl_attr_get_type(attribute) < attributes->n)
        attributes->table[mnl_attr_get_type(attribute)] = attribute;
    return MNL_CB_OK;
}

void netlink_attributes(const struct nlmsghdr *message, size_t head, const struct nlattr **table,
                        unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        table[i] = NULL;
    (void)mnl_attr_parse(message, (unsigned)head, on_attribute, &(struct attributes){table, n});
}

void netlink_nested(const struct nlattr *nest, const struct nlattr **table, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        table[i] = NULL;
    if (nest)
        (void)mnl_attr_parse_nested(nest, on_attribute, &(struct attributes){table, n});
}

bool netlink_address(const struct nlattr *attribute, struct address *address)
{
    size_t size = attribute ? mnl_attr_get_payload_len(attribute) : 0;

    if (size != 4 && size != sizeof address->bytes)
        return false;
    *address = address_from(mnl_attr_get_payload(attribute), size);
    return true;
}

void netlink_put_address(struct nlmsghdr *message, uint16_t type, const struct address *address)
{
    if (address_is_inet(address))
        mnl_attr_put(message, type, 4, address->bytes + 12);
    else
        mnl_attr_put(message, type, sizeof address->bytes, address->bytes);
}
