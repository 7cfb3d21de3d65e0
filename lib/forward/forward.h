/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What to forward: a Service's cluster IPs and ports, and the endpoints of each port. All texts are
 * checked, so that they can become names in a ruleset.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/util/address.h"

#define FORWARD_AFFINITY_MAX 86400 /* seconds */

enum forward_protocol { FORWARD_TCP, FORWARD_UDP, FORWARD_SCTP };

struct forward_target {
    struct address address;
    uint16_t port;
    bool terminating; /* used only while none of its family is ready; its UDP flows stay */
};

struct forward_port {
    enum forward_protocol protocol;
    uint16_t number;
    GArray *targets; /* struct forward_target, of each kind sorted, each once */
};

struct forward_service {
    char *ns, *name;     /* labels of [a-z0-9-]; a namespace may have "@" and a zone behind it */
    GArray *cluster_ips; /* struct address */
    GPtrArray *ports;    /* struct forward_port * */
    uint32_t affinity;   /* seconds a client stays with an endpoint; 0: no longer than it takes */
};

/* NULL: one of the two is not a label. */
struct forward_service *forward_service_new(const char *ns, const char *name);

/* Must connections to that address not be taken away: 127.0.0.1 and the like, link-local, multicast
 * and unspecified ones? */
bool forward_is_special(const struct address *address);

/* False: the address is special. */
bool forward_service_add_ip(struct forward_service *service, const struct address *address);

/* The port is the service's. */
struct forward_port *forward_service_add_port(struct forward_service *service,
                                              enum forward_protocol protocol, uint16_t number);
void forward_port_add_target(struct forward_port *port, const struct address *address,
                             uint16_t number, bool terminating);

struct forward_service *forward_service_free(struct forward_service *service); /* returns NULL */
