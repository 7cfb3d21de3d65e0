/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The layout of a snapshot: everything that resolves, as one position-independent arena.
 *
 * All integers are little-endian and fixed-width; there are no pointers. A `ref` is an offset from
 * the start of the arena in units of 8 bytes, 0 is none. Readers trust nothing: every ref and
 * offset is checked against the size at use, every field is read once, every loop is bounded.
 *
 * Arena: a header, then nodes, each aligned to 8 bytes. Nodes do not change while `root` leads to
 * them; a change appends the path of branches above the changed leaf and then stores the new root
 * atomically.
 *
 * Readers in other processes have the arena mapped read-only while it is written. The memory behind
 * the header is two spaces: changes are appended in one, until what is live is copied into the
 * other. Before memory that a published root has ever led to is written again, `reuse` goes up.
 *
 *   writer   nodes; then `root` (release)
 *            before it writes into a space that was published: `reuse` + 1 (release), then a fence
 *            (seq_cst), then nodes
 *   reader   `state`, `heartbeat`, `owner`; `reuse` (acquire); `root` (acquire); the lookup, which
 *            copies out what it needs; a fence (acquire); `reuse` (relaxed). If it has changed,
 *            what was copied is worth nothing, and the reader starts again.
 *
 * The daemon holds `owner`, a robust process-shared mutex: when it dies in whatever way, the kernel
 * marks the word. `heartbeat` tells a daemon that hangs.
 *
 * Trie: a hash array mapped trie over the 64-bit SipHash-2-4 (key: `seed`) of the record's key,
 * 5 bits a level from the lowest, at most 12 levels; leaves whose 60 bits agree are chained by
 * `next`. A leaf holds the key, padded to 8 bytes, and the record, padded to 8 bytes.
 *
 * Keys (all names lower case)
 *   "c"                   struct kubesvc_settings
 *   "n" namespace         struct kubesvc_namespace: a namespace that some object mentions
 *   "s" service.namespace struct kubesvc_service
 *   "a" 16 bytes          struct kubesvc_address; IPv4 as ::ffff:a.b.c.d
 *
 * A namespace of another zone than the main one is "namespace@zone", in keys as in records: so the
 * same namespace and Service may be in several zones, and only what is typed or answered as a whole
 * name needs to know of zones.
 *
 * Inside a record, `struct kubesvc_span` and `struct kubesvc_set` give offsets from the start of
 * that record, so that a record can be copied as it is. Strings have no NUL.
 */
#pragma once

#include <stdint.h>

#define KUBESVC_SNAPSHOT_MAGIC 0x31534b4eu /* "NKS1" */
#define KUBESVC_SNAPSHOT_ALIGN 8u
#define KUBESVC_TRIE_BITS 5u
#define KUBESVC_TRIE_LEVELS 12u
#define KUBESVC_CHAIN_LIMIT 64u /* leaves chained at one place */

#define KUBESVC_SNAPSHOT_VERSION 2u /* of all that is described here */

#define KUBESVC_SNAPSHOT_RETIRED 1u /* replaced by another one */
#define KUBESVC_SNAPSHOT_WATCHED 2u /* the daemon wants every question on the socket */
#define KUBESVC_SNAPSHOT_STOPPED 4u /* the daemon was stopped on purpose: its names are gone */

#define KUBESVC_OWNER_DIED 0x40000000u /* in owner[0], as futex(2) has it */
#define KUBESVC_OWNER_MASK 0x3fffffffu /* the thread that holds it, 0: none */

struct kubesvc_snapshot_header {
    uint32_t magic;
    uint32_t size; /* what refs may point to, in units of 8 bytes */
    uint8_t seed[16];
    uint32_t root;      /* ref, stored with release order; 0: nothing loaded yet */
    uint32_t reuse;     /* incremented before published memory is written again */
    uint32_t state;     /* KUBESVC_SNAPSHOT_*; unknown values mean RETIRED */
    uint32_t heartbeat; /* CLOCK_MONOTONIC in seconds, written every second */
    uint32_t version;   /* KUBESVC_SNAPSHOT_VERSION */
    uint32_t reserved[5];
    uint32_t owner[16]; /* a pthread_mutex_t of the daemon */
};

_Static_assert(sizeof(struct kubesvc_snapshot_header) == 128, "layout");

enum kubesvc_node_type {
    KUBESVC_NODE_BRANCH = 0xb5a1,
    KUBESVC_NODE_LEAF = 0x1eaf,
};

struct kubesvc_branch {
    uint32_t type;
    uint32_t bitmap; /* child i is present if bit i is set; children in ascending order follow */
    /* uint32_t child[popcount(bitmap)], refs */
};

struct kubesvc_leaf {
    uint16_t type;
    uint16_t key_length;
    uint32_t next; /* ref of a leaf with the same 60 bits of hash */
    uint64_t hash;
    uint32_t record_length;
    uint32_t reserved;
    /* key, padded to 8; record, padded to 8 */
};

struct kubesvc_span {
    uint32_t offset;
    uint32_t length;
};

/* Addresses of one answer, each array ascending and without duplicates, in network order. */
struct kubesvc_set {
    uint32_t inet; /* offset of 4-byte addresses */
    uint32_t n_inet;
    uint32_t inet6; /* offset of 16-byte addresses */
    uint32_t n_inet6;
};

enum kubesvc_pod_names {
    KUBESVC_PODS_DISABLED = 0,
    KUBESVC_PODS_INSECURE = 1,
    KUBESVC_PODS_VERIFIED = 2,
};

#define KUBESVC_SETTINGS_EMPTY 0x1u       /* no object is loaded: no name is ours */
#define KUBESVC_SETTINGS_FALLTHROUGH 0x2u /* unmentioned namespaces under the zone are not ours */

struct kubesvc_range { /* an allocatable range; IPv4 as ::ffff:a.b.c.d, prefix 96 to 128 */
    uint8_t address[16];
    uint32_t prefix;
};

struct kubesvc_settings {
    uint32_t flags;
    uint32_t pods; /* enum kubesvc_pod_names */
    uint32_t ndots;
    struct kubesvc_span zone; /* the main one: lower case, no final dot */
    struct kubesvc_span default_namespace;
    struct kubesvc_span search; /* spans: an explicit search list; see search_default */
    uint32_t search_default;    /* 1: <ns>.svc.<zone> svc.<zone> <zone>, `search` unused */
    struct kubesvc_span ranges; /* struct kubesvc_range[]; length in bytes */
    struct kubesvc_span zones;  /* spans: the others, as `zone`; none lies in another */
};

#define KUBESVC_NAMESPACE_EXPOSED 0x1u /* rule 50 */

struct kubesvc_namespace {
    uint32_t flags;
};

enum kubesvc_service_type {
    KUBESVC_SERVICE_CLUSTER_IP = 1, /* no address at all is NODATA (rule 54) */
    KUBESVC_SERVICE_HEADLESS = 2,   /* no address at all is NXDOMAIN (rule 3) */
    KUBESVC_SERVICE_EXTERNAL_NAME = 3,
};

/* Exists but answers nothing: ignoreEmptyService, or an ExternalName that is an address literal
 * (rule 61). */
#define KUBESVC_SERVICE_HIDDEN 0x1u

#define KUBESVC_SERVICE_NUMBERED 0x2u /* the record begins with a struct kubesvc_numbered */

struct kubesvc_service {
    uint32_t type;
    uint32_t flags;
    struct kubesvc_set addresses;  /* the answer to the Service's own name */
    struct kubesvc_set unnamed;    /* endpoints known by their dashed address (rule 34) */
    struct kubesvc_span endpoints; /* struct kubesvc_endpoint[], by label bytewise; in bytes */
    struct kubesvc_span ports;     /* struct kubesvc_port[]; in bytes */
    struct kubesvc_span target;    /* of an ExternalName, as written, without final dot */
};

struct kubesvc_endpoint {      /* all endpoints of one hostname (rule 37) */
    struct kubesvc_span label; /* lower case */
    struct kubesvc_set addresses;
};

enum kubesvc_protocol {
    KUBESVC_PROTOCOL_ANY = 0,
    KUBESVC_PROTOCOL_TCP = 1,
    KUBESVC_PROTOCOL_UDP = 2,
    KUBESVC_PROTOCOL_SCTP = 3,
};

/* What _name._protocol.<service> answers (rule 47). One entry for each (name, protocol), one for
 * each (name, ANY) and one for each ("", protocol): an empty label after its underscore is a
 * wildcard. */
struct kubesvc_port {
    struct kubesvc_span name; /* lower case */
    uint32_t protocol;
    uint32_t number; /* 0 if several or none */
    struct kubesvc_set addresses;
};

/* Set if SRV needs more than the numbers of `ports`: some ports are named and others are not, or
 * the endpoints of one port differ in their number. Readers that do not know the flag find their
 * data where it always was. */
struct kubesvc_numbered {
    struct kubesvc_service service;
    struct kubesvc_span numbers; /* struct kubesvc_port[]: one for each name, protocol, number */
};

#define KUBESVC_ADDRESS_NAMED 0x1u   /* has a name in `name` (rules 67 to 70) */
#define KUBESVC_ADDRESS_FOREIGN 0x2u /* a node's: its pods have names, but it is not ours */

struct kubesvc_address {
    uint32_t flags;
    struct kubesvc_span name; /* [label.]service.namespace[@zone] */
    struct kubesvc_span pods; /* spans: namespaces with a pod of this address (rule 65); in bytes */
};
