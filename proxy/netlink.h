/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests to the kernel by netlink, in addition to those of libnftables.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <stdint.h>

#include "lib/util/address.h"
#include "lib/util/error.h"

struct netlink {
    struct mnl_socket *socket;
    uint32_t sequence;
};

/* `bus`: NETLINK_ROUTE or NETLINK_NETFILTER; `groups`: a mask of those whose messages are to be
 * received, 0 for requests. 0 or negative errno. */
MUST_USE int netlink_open(struct netlink *netlink, int bus, unsigned groups);
void netlink_close(struct netlink *netlink);

/* Sends a request, and calls `each` (or NULL) for every message that comes back until it is done;
 * MNL_CB_OK continues. 0 or negative errno, including the kernel's. */
MUST_USE int netlink_ask(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each,
                         void *userdata);

/* Room for a request of this program. */
#define NETLINK_REQUEST_MAX 1024u

/* The attributes behind a head of `head` bytes, or in a nest, by type below `n`; NULL for none. */
void netlink_attributes(const struct nlmsghdr *message, size_t head, const struct nlattr **table,
                        unsigned n);
void netlink_nested(const struct nlattr *nest, const struct nlattr **table, unsigned n);

/* An attribute that holds an address of 4 or 16 bytes; false if it does not. */
bool netlink_address(const struct nlattr *attribute, struct address *address);
void netlink_put_address(struct nlmsghdr *message, uint16_t type, const struct address *address);
