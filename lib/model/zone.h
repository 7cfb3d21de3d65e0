/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model's description of a zone: plain descriptions of names and addresses, passed to the
 * publisher. Valid during the call only.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/util/address.h"

enum zone_service_type {
    ZONE_CLUSTER_IP,    /* `addresses` are its own */
    ZONE_HEADLESS,      /* `addresses` are its endpoints' */
    ZONE_EXTERNAL_NAME, /* `target` */
};

/* A namespace of another zone than the main one is "namespace@zone". */

/* In all of these `addresses` is a GArray of struct address in any order, possibly with
 * duplicates. */

struct zone_endpoint {
    const char *label;
    GArray *addresses;
};

struct zone_port {
    const char *name; /* NULL for none */
    uint8_t protocol; /* enum port_protocol */
    uint16_t number;
    GArray *addresses; /* what an address query for this port answers (rule 47) */
};

struct zone_service {
    const char *name, *ns;
    enum zone_service_type type;
    bool hidden; /* exists, answers nothing (rules 51 and 61) */
    GArray *addresses;
    GArray *unnamed;   /* endpoints known by their dashed address (rule 34) */
    GArray *endpoints; /* struct zone_endpoint, one for each label */
    GArray *ports;     /* struct zone_port, several of one name and protocol are united */
    const char *target;
};

struct zone_address {
    struct address address;
    bool known;       /* stated by an object: ours even without a name */
    const char *name; /* "[label.]service.namespace[@zone]", NULL for none */
    GPtrArray *pods;  /* const char *: namespaces with a pod of this address (rule 65) */
};

struct zone_sink {
    /* A namespace is mentioned by some object (rule 11), or no longer by any. */
    void (*ns)(void *userdata, const char *name, bool exists, bool exposed);
    /* A Service that may be looked up, or is gone. */
    void (*service)(void *userdata, const struct zone_service *service);
    void (*service_gone)(void *userdata, const char *ns, const char *name);
    void (*address)(void *userdata, const struct zone_address *address);
    void (*address_gone)(void *userdata, const struct address *address);
    void *userdata;
};
