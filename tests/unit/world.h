/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small world to ask questions in: records made by the real builders, in a real snapshot. Header
 * only, because a fuzz target is built from one file.
 */
#pragma once

#include <arpa/inet.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/publish/record.h"
#include "daemon/publish/snapshot_writer.h"
#include "lib/resolve/resolver.h"

/* Of the pointers of a C array, which stay where they are. */
#define POINTERS_OF(pointers, n) (&(GPtrArray){(gpointer *)(pointers), (guint)(n)})

struct world_service {
    const char *service, *ns;
    enum zone_service_type type;
    bool hidden;
    const char *addresses, *unnamed; /* "10.0.0.1 fd00::1" */
    const char *endpoints;           /* "label=10.0.0.1 fd00::1;other=10.0.0.2" */
    const char *ports; /* "http/1=10.0.0.1;/2:53=" name, protocol, number (80), what it answers */
    const char *target;
};

struct world_address {
    const char *address, *name;
    const char *pods[3];
    bool foreign;
};

struct world_options {
    uint32_t flags;
    enum kubesvc_pod_names pods;
    uint32_t ndots; /* 0: 5 */
    const char *zone;
    const char *const *search;
    const char *const *services; /* only these; NULL: all */
};

static const struct world_service world_services[] = {
    /* coredns-handler */
    {"svc1", "testns", ZONE_CLUSTER_IP, .addresses = "10.0.0.1", .endpoints = "ep1a=172.0.0.1",
     .ports = "http/1=10.0.0.1"},
    {"svcempty", "testns", ZONE_CLUSTER_IP, .addresses = "10.0.0.1"},
    {"svc6", "testns", ZONE_CLUSTER_IP, .addresses = "1234:abcd::1"},
    {"svc-dual-stack", "testns", ZONE_CLUSTER_IP, .addresses = "10.0.0.3 10::3"},
    {"hdls1", "testns", ZONE_HEADLESS,
     .addresses = "172.0.0.5 172.0.0.2 172.0.0.3 172.0.0.4 172.0.0.2 5678:abcd::2 5678:abcd::1",
     .unnamed = "172.0.0.2 172.0.0.3 5678:abcd::1 5678:abcd::2",
     .endpoints = "dup-name=172.0.0.4;Dup-Name=172.0.0.5",
     .ports = "HTTP/1=172.0.0.2 172.0.0.3 172.0.0.4 172.0.0.5;http/2=172.0.0.2 "
              "5678:abcd::1;/1=172.0.0.3"},
    {"hdlsprtls", "testns", ZONE_HEADLESS, .addresses = "172.0.0.20", .unnamed = "172.0.0.20"},
    {"none-ready", "testns", ZONE_HEADLESS, .ports = "http/1="},
    {"unallocated", "testns", ZONE_CLUSTER_IP, .ports = "http/1="},
    {"ignored", "testns", ZONE_CLUSTER_IP, true, .addresses = "10.0.0.9",
     .endpoints = "ep=172.0.0.9"},
    {"twins", "testns", ZONE_HEADLESS, .addresses = "10.1.1.1 10.1.1.2 fd00:60::",
     .unnamed = "10.1.1.1 fd00:60::", .endpoints = "10-1-1-1=10.1.1.2;a=10.1.1.2"},
    {"svc1", "unexposedns", ZONE_CLUSTER_IP, .addresses = "10.0.0.2"},

    /* search */
    {"db", "prod", ZONE_HEADLESS, .addresses = "10.244.4.10 10.244.4.11",
     .endpoints = "db-0=10.244.4.10;db-1=10.244.4.11"},
    {"api", "prod", ZONE_CLUSTER_IP, .addresses = "10.96.1.2"},
    {"db", "dev", ZONE_CLUSTER_IP, .addresses = "10.96.1.1"},
    {"gone", "dev", ZONE_HEADLESS, .addresses = ""},
    {"localhost", "dev", ZONE_CLUSTER_IP, .addresses = "10.96.1.66"},
    {"a23456789012345678901234567890123456789012345678901234567890123", "dev", ZONE_CLUSTER_IP,
     .addresses = "10.96.1.63"},
    {"prod", "shadow", ZONE_HEADLESS, .addresses = "10.244.66.6", .endpoints = "db=10.244.66.6"},
    {"mix", "split", ZONE_HEADLESS, .addresses = "fd00::1", .endpoints = "x=fd00::1"},
    {"x", "mix", ZONE_CLUSTER_IP, .addresses = "10.20.0.9"},

    /* externalname */
    {"vip", "ext", ZONE_CLUSTER_IP, .addresses = "10.96.3.1 fd00:3::1"},
    {"hl", "ext", ZONE_HEADLESS, .addresses = "10.244.8.1 10.244.8.2",
     .endpoints = "n0=10.244.8.1;n1=10.244.8.2"},
    {"to-vip", "ext", ZONE_EXTERNAL_NAME, .target = "vip.ext.svc.cluster.local"},
    {"to-vip-dot", "ext", ZONE_EXTERNAL_NAME, .target = "vip.ext.svc.cluster.local."},
    {"to-hl", "ext", ZONE_EXTERNAL_NAME, .target = "hl.ext.svc.cluster.local"},
    {"to-ep", "ext", ZONE_EXTERNAL_NAME, .target = "n1.hl.ext.svc.cluster.local"},
    {"to-pod", "ext", ZONE_EXTERNAL_NAME, .target = "10-90-0-1.p.pod.cluster.local"},
    {"to-upper", "ext", ZONE_EXTERNAL_NAME, .target = "VIP.EXT.SVC.CLUSTER.LOCAL"},
    {"to-missing", "ext", ZONE_EXTERNAL_NAME, .target = "no.ext.svc.cluster.local"},
    {"to-unknown-ns", "ext", ZONE_EXTERNAL_NAME, .target = "a.b.svc.cluster.local"},
    {"to-namespace", "ext", ZONE_EXTERNAL_NAME, .target = "ext.svc.cluster.local"},
    {"to-short", "ext", ZONE_EXTERNAL_NAME, .target = "vip"},
    {"to-bad", "ext", ZONE_EXTERNAL_NAME, .target = "not a name"},
    {"to-nothing", "ext", ZONE_EXTERNAL_NAME, .target = ""},
    {"self", "ext", ZONE_EXTERNAL_NAME, .target = "self.ext.svc.cluster.local"},
    {"below-self", "ext", ZONE_EXTERNAL_NAME, .target = "a.below-self.ext.svc.cluster.local"},
    {"ping", "ext", ZONE_EXTERNAL_NAME, .target = "pong.ext.svc.cluster.local"},
    {"pong", "ext", ZONE_EXTERNAL_NAME, .target = "ping.ext.svc.cluster.local"},
    {"literal", "ext", ZONE_EXTERNAL_NAME, true, .target = "192.0.2.7"},
    {"www", "ext", ZONE_EXTERNAL_NAME, .target = "www.example.com"},
    {"to-www", "ext", ZONE_EXTERNAL_NAME, .target = "www.ext.svc.cluster.local"},
    {"broken", "ext", ZONE_EXTERNAL_NAME, .target = "broken.example.com"},
    {"slow", "ext", ZONE_EXTERNAL_NAME, .target = "slow.example.com"},
    {"half", "ext", ZONE_EXTERNAL_NAME, .target = "half.example.com"},
    {"unknown", "ext", ZONE_EXTERNAL_NAME, .target = "missing.example.org"},
    {"c1", "ext", ZONE_EXTERNAL_NAME, .target = "c2.ext.svc.cluster.local"},
    {"c2", "ext", ZONE_EXTERNAL_NAME, .target = "c3.ext.svc.cluster.local"},
    {"c3", "ext", ZONE_EXTERNAL_NAME, .target = "c4.ext.svc.cluster.local"},
    {"c4", "ext", ZONE_EXTERNAL_NAME, .target = "c5.ext.svc.cluster.local"},
    {"c5", "ext", ZONE_EXTERNAL_NAME, .target = "c6.ext.svc.cluster.local"},
    {"c6", "ext", ZONE_EXTERNAL_NAME, .target = "c7.ext.svc.cluster.local"},
    {"c7", "ext", ZONE_EXTERNAL_NAME, .target = "c8.ext.svc.cluster.local"},
    {"c8", "ext", ZONE_EXTERNAL_NAME, .target = "c9.ext.svc.cluster.local"},
    {"c9", "ext", ZONE_EXTERNAL_NAME, .target = "c10.ext.svc.cluster.local"},
    {"c10", "ext", ZONE_EXTERNAL_NAME, .target = "c11.ext.svc.cluster.local"},
    {"c11", "ext", ZONE_EXTERNAL_NAME, .target = "c12.ext.svc.cluster.local"},
    {"c12", "ext", ZONE_EXTERNAL_NAME, .target = "vip.ext.svc.cluster.local"},

    /* zones */
    {"svc1", "testns@east.example", ZONE_CLUSTER_IP, .addresses = "10.8.0.1",
     .endpoints = "ep1a=172.8.0.1", .ports = "http/1=10.8.0.1"},
    {"hl", "east-only@east.example", ZONE_HEADLESS, .addresses = "172.8.0.2",
     .unnamed = "172.8.0.2"},
    {"to-main", "testns@east.example", ZONE_EXTERNAL_NAME, .target = "vip.ext.svc.cluster.local"},
    {"to-east", "ext", ZONE_EXTERNAL_NAME, .target = "svc1.testns.svc.east.example"},
    {"to-there-and-back", "ext", ZONE_EXTERNAL_NAME, .target = "To-Main.testns.svc.East.Example"},
};

static const char *const world_namespaces[] = {"testns",
                                               "prod",
                                               "dev",
                                               "empty",
                                               "shadow",
                                               "split",
                                               "mix",
                                               "ext",
                                               "p",
                                               "q",
                                               "nopods",
                                               "testns@east.example",
                                               "east-only@east.example"};

static const struct world_address world_addresses[] = {
    {"10.0.0.1", "svc1.testns", {NULL}, false},
    {"172.0.0.4", "dup-name.hdls1.testns", {NULL}, false},
    {"fd00:60::", "fd00-60--0.twins.testns", {NULL}, false},
    {"10.90.0.1", NULL, {"p", NULL}, false},
    {"10.90.0.2", "10-90-0-2.db.prod", {"q", "p", NULL}, false},
    {"fd00:90::6", NULL, {"q", NULL}, false},
    {"10.90.0.8", NULL, {NULL}, false},
    {"192.0.2.99", NULL, {"p", NULL}, .foreign = true},
    {"::1", "--1.hdls1.testns", {NULL}, false},
    {"10.8.0.1", "svc1.testns@east.example", {"testns@east.example", NULL}, false},
};

static inline void world_put(struct snapshot_writer *writer, const struct record_key *key,
                             GByteArray *record)
{
    if (snapshot_writer_put(writer, key->bytes, key->length, record->data, record->len) < 0)
        abort();
    g_byte_array_unref(record);
}

static inline struct address world_parse(const char *text)
{
    struct address address = {{[10] = 0xff, [11] = 0xff}};

    if (inet_pton(AF_INET, text, address.bytes + 12) != 1 &&
        inet_pton(AF_INET6, text, address.bytes) != 1)
        abort();
    return address;
}

/* A new array, kept by `owner`; NULL for NULL. */
static inline GArray *world_set(GPtrArray *owner, const char *text)
{
    g_auto(GStrv) words = NULL;
    GArray *addresses;

    if (text == NULL)
        return NULL;
    addresses = g_array_new(FALSE, FALSE, sizeof(struct address));
    g_ptr_array_add(owner, addresses);
    words = g_strsplit(text, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        struct address address;

        if (**word == '\0')
            continue;
        address = world_parse(*word);
        g_array_append_val(addresses, address);
    }
    return addresses;
}

static inline void world_put_service(struct snapshot_writer *writer,
                                     const struct world_service *service)
{
    g_autoptr(GPtrArray) owner = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    g_autoptr(GArray) endpoints = g_array_new(FALSE, FALSE, sizeof(struct zone_endpoint));
    g_autoptr(GArray) ports = g_array_new(FALSE, FALSE, sizeof(struct zone_port));
    g_auto(GStrv) endpoint_words = g_strsplit(service->endpoints ?: "", ";", -1);
    g_auto(GStrv) port_words = g_strsplit(service->ports ?: "", ";", -1);
    const struct zone_service record = {
        .type = service->type,
        .hidden = service->hidden,
        .addresses = world_set(owner, service->addresses),
        .unnamed = world_set(owner, service->unnamed),
        .endpoints = endpoints,
        .ports = ports,
        .target = service->target,
    };
    struct record_key key;

    for (char **word = endpoint_words; *word != NULL; word++) {
        char *equals = strchr(*word, '=');
        struct zone_endpoint endpoint = {*word, world_set(owner, equals + 1)};

        *equals = '\0';
        g_array_append_val(endpoints, endpoint);
    }
    for (char **word = port_words; *word != NULL; word++) {
        char *slash = strchr(*word, '/'), *equals = strchr(slash, '=');
        unsigned long number = slash[2] == ':' ? strtoul(slash + 3, NULL, 10) : 80;
        struct zone_port port = {*word, (uint8_t)(slash[1] - '0'), (uint16_t)number,
                                 world_set(owner, equals + 1)};

        *slash = '\0';
        g_array_append_val(ports, port);
    }
    if (!record_key_service(&key, service->service, service->ns))
        abort();
    world_put(writer, &key, record_service_new(&record));
}

static inline void world_put_settings(struct snapshot_writer *writer,
                                      const struct world_options *options)
{
    static const struct address_range ranges[] = {
        {{{[10] = 0xff, [11] = 0xff, [12] = 127, [13] = 96}}, 112},
        {{{0xfd, 0, 0xff, 0xf0}}, 28},
    };
    static const char *const zones[] = {"west.example", "east.example", NULL};
    const struct record_settings settings = {
        .flags = options->flags,
        .pods = options->pods,
        .ndots = options->ndots != 0 ? options->ndots : 5,
        .zone = options->zone != NULL ? options->zone : "cluster.local",
        .zones = zones,
        .default_namespace = "testns",
        .search = options->search,
        .ranges = ranges,
        .n_ranges = sizeof ranges / sizeof ranges[0],
    };
    struct record_key key;

    record_key_settings(&key);
    world_put(writer, &key, record_settings_new(&settings));
}

static inline struct snapshot_writer *world_new(const struct world_options *options)
{
    struct snapshot_writer *writer;
    struct record_key key;

    if (snapshot_writer_new(&writer) < 0)
        abort();
    world_put_settings(writer, options);
    for (size_t i = 0; i < sizeof world_namespaces / sizeof world_namespaces[0]; i++) {
        if (!record_key_namespace(&key, world_namespaces[i]))
            abort();
        world_put(writer, &key, record_namespace_new(KUBESVC_NAMESPACE_EXPOSED));
    }
    if (!record_key_namespace(&key, "unexposedns"))
        abort();
    world_put(writer, &key, record_namespace_new(0));
    for (size_t i = 0; i < sizeof world_services / sizeof world_services[0]; i++)
        if (options->services == NULL ||
            g_strv_contains((const gchar *const *)options->services, world_services[i].service))
            world_put_service(writer, &world_services[i]);
    for (size_t i = 0; i < sizeof world_addresses / sizeof world_addresses[0]; i++) {
        const struct world_address *known = &world_addresses[i];
        const struct zone_address record = {
            .address = world_parse(known->address),
            .known = !known->foreign,
            .name = known->name,
            .pods = POINTERS_OF(known->pods, g_strv_length((gchar **)known->pods)),
        };

        record_key_address(&key, &record.address);
        world_put(writer, &key, record_address_new(&record));
    }
    snapshot_writer_publish(writer);
    return writer;
}

/* "10.0.0.1 10.0.0.2", to be freed. */
static inline char *world_format(int family, const uint8_t *addresses, uint32_t n)
{
    GString *text = g_string_new(NULL);

    for (uint32_t i = 0; i < n; i++) {
        char one[INET6_ADDRSTRLEN];

        inet_ntop(family, addresses + i * (family == AF_INET ? 4 : 16), one, sizeof one);
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "", one);
    }
    return g_string_free(text, FALSE);
}

/* How much of a writer's region has been used, in bytes, by one that was published once. */
static inline size_t world_used(const struct snapshot_writer *writer)
{
    struct snapshot_writer_status status;

    snapshot_writer_status(writer, &status);
    return (size_t)(sizeof(struct kubesvc_snapshot_header) + status.used);
}

/* "owner alias canonical", to be freed. */
static inline char *world_names(const struct resolver_names *names)
{
    char *text = g_memdup2(names->text, (gsize)names->size + 1);

    for (unsigned i = 0; i + 1 < names->size; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    text[names->size] = '\0';
    return text;
}
