/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One record for each target and number: of a Service with an address of its own the target is the
 * Service, of a headless one each of its endpoints, by hostname or by dashed address. Targets come
 * one after another with all their numbers, so that each target's addresses are written once.
 *
 * The weights of one answer add up to 100, and none is 0: a hundred records suffice to know it.
 */
#include "srv.h"

#include <string.h>

#include "lib/resolve/dashed.h"
#include "lib/resolve/inet.h"
#include "lib/resolve/name.h"

#define WEIGHTS 100u
#define TARGETS_MAX 2600u /* more have no room in a message */
#define NUMBERS_MAX 64u   /* of one target that are told apart */

/* The end of a chain of SRV records: its label (none: the Service's own name) and addresses. */
struct srv_target {
    const char *label;
    struct lookup_set set;
    uint32_t label_length;
    packet_place place;
};

struct srv {
    const struct response_context *context;
    const struct lookup *lookup;
    struct packet *packet;
    const struct kubesvc_service *service;
    const struct kubesvc_port *ports;
    uint32_t n_ports;
    bool named;       /* unnamed rows of `ports` stand for all ports of a protocol */
    const char *port; /* requested; NULL: all */
    size_t port_length;
    uint32_t protocol;               /* KUBESVC_PROTOCOL_ANY: all */
    char base[KUBESVC_NAME_MAX + 1]; /* the Service's whole name, in lower case */
    size_t base_length;
    packet_place owner;
    uint32_t n, weight;
    struct srv_target *targets; /* NULL: only counted */
    unsigned n_targets;
    bool full;
};

/* --- Ports --- */

/* The table `ports` also has rows that stand for several ports; the real ones are those with a name
 * and a protocol, or, where no port has a name, those with a protocol. Where that would not tell
 * all, the record has a table of its own. */
static void read_ports(struct srv *srv)
{
    struct snapshot_record record = srv->lookup->service;
    const struct kubesvc_numbered *numbered = NULL;

    if ((snapshot_u32(&srv->service->flags) & KUBESVC_SERVICE_NUMBERED) != 0)
        numbered = (const void *)snapshot_bytes(record, 0, sizeof *numbered);
    srv->ports =
        (const void *)snapshot_table(record, numbered ? &numbered->numbers : &srv->service->ports,
                                     sizeof *srv->ports, &srv->n_ports);
    for (uint32_t i = 0; !numbered && i < srv->n_ports; i++)
        srv->named = srv->named || snapshot_u32(&srv->ports[i].name.length) > 0;
}

/* Is this row a requested port? */
static bool port_matches(const struct srv *srv, uint32_t i)
{
    const struct kubesvc_port *port = &srv->ports[i];
    uint32_t protocol = snapshot_u32(&port->protocol), length;
    const char *name = (const char *)snapshot_span(srv->lookup->service, &port->name, &length);

    if (protocol == KUBESVC_PROTOCOL_ANY || (srv->named && length == 0))
        return false;
    if (srv->protocol != KUBESVC_PROTOCOL_ANY && protocol != srv->protocol)
        return false;
    return srv->port_length == 0 ||
           (name != NULL && name_equal(name, length, srv->port, srv->port_length));
}

static bool sets_meet(const struct lookup_set *some, const struct lookup_set *port)
{
    for (uint32_t i = 0; i < some->n_inet; i++) {
        if (lookup_contains(port->inet, port->n_inet, 4, some->inet + i * 4))
            return true;
    }
    for (uint32_t i = 0; i < some->n_inet6; i++) {
        if (lookup_contains(port->inet6, port->n_inet6, 16, some->inet6 + i * 16))
            return true;
    }
    return false;
}

/* --- Records --- */

static bool write_record(struct srv *srv, struct srv_target *target, uint16_t number)
{
    struct packet_record record = packet_record(srv->packet, PACKET_ANSWER, srv->owner, NULL, 0,
                                                PACKET_SRV, srv->context->ttl);
    char name[KUBESVC_NAME_MAX + 1], *end = name;

    packet_put_u16(&record, 0);
    packet_put_u16(&record, (uint16_t)srv->weight);
    packet_put_u16(&record, number);
    if (target->label_length > 0) {
        end = mempcpy(end, target->label, target->label_length);
        *end++ = '.';
    }
    end = mempcpy(end, srv->base, srv->base_length);
    packet_place place = packet_put_name(&record, name, (size_t)(end - name), 0);

    if (target->place == 0)
        target->place = place;
    return packet_record_end(&record);
}

/* The records of one target: one for each number among the ports that it has. */
static void add_target(struct srv *srv, struct srv_target *target)
{
    uint16_t numbers[NUMBERS_MAX];
    unsigned n = 0;

    /* a name that is too long cannot be looked up either */
    if (target->label_length + 1 + srv->base_length > KUBESVC_NAME_MAX)
        return;
    for (uint32_t i = 0; i < srv->n_ports && !srv->full; i++) {
        struct lookup_set set = lookup_read_set(srv->lookup->service, &srv->ports[i].addresses);
        uint16_t number = (uint16_t)snapshot_u32(&srv->ports[i].number);
        bool known = false;

        if (!port_matches(srv, i) || !sets_meet(&target->set, &set))
            continue;
        for (unsigned j = 0; j < n; j++)
            known = known || numbers[j] == number;
        if (known)
            continue;
        if (n < NUMBERS_MAX)
            numbers[n++] = number;
        srv->n++;
        srv->full = srv->targets ? !write_record(srv, target, number) : srv->n >= WEIGHTS;
    }
    if (srv->targets && target->place != 0 && srv->n_targets < TARGETS_MAX)
        srv->targets[srv->n_targets++] = *target;
}

/* An endpoint without hostname, unless another one's hostname is the same label: that entry holds
 * both. The set is part of the snapshot. */
static void add_dashed(struct srv *srv, struct lookup_set set)
{
    uint8_t address[16];
    char label[DASHED_MAX];
    struct srv_target target = {.label = label, .set = set};

    if (set.n_inet > 0)
        inet_map(address, set.inet, 4);
    else
        inet_map(address, set.inet6, 16);
    target.label_length = (uint32_t)dashed_format(address, label);
    if (lookup_find_endpoint(srv->lookup->service, &srv->service->endpoints, label,
                             target.label_length) == NULL)
        add_target(srv, &target);
}

static void add_endpoints(struct srv *srv)
{
    struct snapshot_record record = srv->lookup->service;
    uint32_t n;
    const struct kubesvc_endpoint *endpoints =
        (const void *)snapshot_table(record, &srv->service->endpoints, sizeof *endpoints, &n);
    struct lookup_set unnamed = lookup_read_set(record, &srv->service->unnamed);

    for (uint32_t i = 0; i < n && !srv->full; i++) {
        struct srv_target target = {.set = lookup_read_set(record, &endpoints[i].addresses)};

        target.label =
            (const char *)snapshot_span(record, &endpoints[i].label, &target.label_length);
        if (target.label != NULL)
            add_target(srv, &target);
    }
    for (uint32_t i = 0; i < unnamed.n_inet && !srv->full; i++)
        add_dashed(srv, (struct lookup_set){.inet = unnamed.inet + i * 4, .n_inet = 1});
    for (uint32_t i = 0; i < unnamed.n_inet6 && !srv->full; i++)
        add_dashed(srv, (struct lookup_set){.inet6 = unnamed.inet6 + i * 16, .n_inet6 = 1});
}

/* All of them, counted or written. */
static void add_all(struct srv *srv, bool endpoint)
{
    const struct lookup *lookup = srv->lookup;

    srv->n = 0;
    srv->full = false;
    if (endpoint)
        add_target(srv, &(struct srv_target){.label = lookup->below,
                                             .label_length = (uint32_t)lookup->below_length,
                                             .set = lookup->set});
    else if (snapshot_u32(&srv->service->type) == KUBESVC_SERVICE_HEADLESS)
        add_endpoints(srv);
    else
        add_target(srv, &(struct srv_target){
                            .set = lookup_read_set(lookup->service, &srv->service->addresses)});
}

static bool write_addresses(struct srv *srv, const struct srv_target *target, enum packet_type type)
{
    size_t size = type == PACKET_A ? 4 : 16;
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): n_targets tells which are set */
    const uint8_t *addresses = type == PACKET_A ? target->set.inet : target->set.inet6;
    uint32_t n = type == PACKET_A ? target->set.n_inet : target->set.n_inet6;

    for (uint32_t i = 0; i < n; i++) {
        if (!packet_add(srv->packet, PACKET_ADDITIONAL, target->place, type, srv->context->ttl,
                        addresses + i * size, size))
            return false;
    }
    return true;
}

/* [_]<port>.[_]<protocol> below the Service, as the lookup has read it already. */
static void read_port(struct srv *srv, const char *below, size_t length)
{
    const char *dot = memchr(below, '.', length);
    size_t port_length = (size_t)(dot - below), protocol_length = length - port_length - 1;

    if (!lookup_parse_protocol(dot + 1, protocol_length, &srv->protocol))
        srv->protocol = KUBESVC_PROTOCOL_ANY;
    srv->port = below;
    srv->port_length = port_length;
    if (port_length > 0 && *below == '_') {
        srv->port++;
        srv->port_length--;
    }
}

bool srv_write(const struct response_context *context, const struct lookup *lookup,
               struct packet *packet, const char *name, size_t length, packet_place place)
{
    struct srv_target targets[TARGETS_MAX];
    struct srv srv = {
        .context = context,
        .lookup = lookup,
        .packet = packet,
        .owner = place,
        .service = (const void *)snapshot_bytes(lookup->service, 0, sizeof *srv.service),
    };
    size_t start = lookup->below_length > 0 ? lookup->below_length + 1 : 0;
    bool port = lookup->below_length > 0 && memchr(lookup->below, '.', lookup->below_length);
    bool endpoint = lookup->below_length > 0 && !port;

    if (srv.service == NULL) /* the zone has other names, too */
        return false;
    /* of a Service with an address of its own the ports are not its endpoints' */
    if (endpoint && snapshot_u32(&srv.service->type) != KUBESVC_SERVICE_HEADLESS)
        return false;
    srv.base_length = length - start;
    for (size_t i = 0; i < srv.base_length; i++)
        srv.base[i] = name_fold(name[start + i]);
    if (port)
        read_port(&srv, lookup->below, lookup->below_length);
    read_ports(&srv);
    add_all(&srv, endpoint);
    if (srv.n == 0)
        return false;
    srv.weight = WEIGHTS / srv.n;
    srv.targets = targets;
    add_all(&srv, endpoint);
    for (unsigned i = 0; i < srv.n_targets && !packet->truncated; i++) {
        if (!write_addresses(&srv, &targets[i], PACKET_A) ||
            !write_addresses(&srv, &targets[i], PACKET_AAAA))
            break;
    }
    return true;
}
