/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Building the records of a snapshot (include/kubesvc/snapshot.h) from plain values. Names come in
 * any case and are stored in lower case; addresses come in any order, with duplicates, and are
 * stored ascending and once; equal sets and strings are stored once in a record.
 *
 * Every builder returns a GByteArray, to be freed with g_byte_array_unref.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/address.h"
#include "lib/util/error.h"
#include <kubesvc/limits.h>
#include <kubesvc/snapshot.h>

/* A key of the trie, for snapshot_writer_put and _remove. */
struct record_key {
    size_t length;
    uint8_t bytes[1 + KUBESVC_NAME_MAX];
};

void record_key_settings(struct record_key *key);
void record_key_address(struct record_key *key, const struct address *address);

/* False: too long for any name that can be looked up. Store nothing then. */
MUST_USE bool record_key_namespace(struct record_key *key, const char *ns);
MUST_USE bool record_key_service(struct record_key *key, const char *service, const char *ns);

struct record_settings {
    uint32_t flags; /* KUBESVC_SETTINGS_* */
    enum kubesvc_pod_names pods;
    uint32_t ndots;
    const char *zone;         /* without final dot */
    const char *const *zones; /* the others, NULL-terminated */
    const char *default_namespace;
    const char *const *search; /* NULL: the default list; else NULL-terminated, possibly empty */
    const struct address_range *ranges;
    size_t n_ranges;
};
GByteArray *record_settings_new(const struct record_settings *settings);

GByteArray *record_namespace_new(uint32_t flags /* KUBESVC_NAMESPACE_* */);

/* In all of these `addresses` is a GArray of struct address, NULL for none. */

struct record_endpoint { /* several with one label are united (rule 37) */
    const char *label;   /* hostname; endpoints with none are `unnamed` */
    const GArray *addresses;
};

struct record_port {  /* several with one name and protocol are united */
    const char *name; /* NULL or "": has none, found by its protocol alone */
    enum kubesvc_protocol protocol;
    uint32_t number; /* 0 for none */
    const GArray
        *addresses; /* what an address query for this port answers (rule 47): of a ClusterIP
                       Service its addresses, of a headless one the endpoints with the port */
};

struct record_service {
    enum kubesvc_service_type type;
    uint32_t flags;          /* KUBESVC_SERVICE_* */
    const GArray *addresses; /* the answer to its own name */
    const GArray *unnamed;   /* endpoints without hostname: get their dashed labels (rule 34) */
    const struct record_endpoint *endpoints;
    size_t n_endpoints;
    const struct record_port *ports; /* real ports only; entries for "any" are derived from them */
    size_t n_ports;
    const char *target; /* of an ExternalName, in its letters; a final dot is dropped; else NULL */
};
GByteArray *record_service_new(const struct record_service *service);

struct record_address {
    bool foreign;     /* not stated by an object: a node's, shared by pods */
    const char *name; /* "[label.]service.namespace", NULL if the address has no name (rule 69) */
    const char *const *pods; /* namespaces with a pod of this address, any order */
    size_t n_pods;
};
GByteArray *record_address_new(const struct record_address *address);
