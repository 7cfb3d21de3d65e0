/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A name is read from the right, as CoreDNS does: svc or pod, namespace, Service, then what stands
 * below a Service; see docs/rules.md, sections A to F. Labels are never split out:
 * "service.namespace" appears in the name exactly as in the key of its record.
 */
#include "lookup.h"

#include <string.h>

#include "dashed.h"
#include "inet.h"
#include "name.h"

/* Cuts the last label off `rest` into `label`; false when nothing is left. */
static bool cut_label(struct text *rest, struct text *label)
{
    const char *dot;

    if (rest->length == 0)
        return false;
    dot = memrchr(rest->data, '.', rest->length);
    *label =
        dot == NULL ? *rest : (struct text){dot + 1, (size_t)(rest->data + rest->length - dot - 1)};
    rest->length = dot == NULL ? 0 : (size_t)(dot - rest->data);
    return true;
}

static bool text_is(struct text text, const char *word)
{
    return name_equal(text.data, text.length, word, strlen(word));
}

/* --- Records --- */

/* A name as records have it: in lower case (rule 8), with the zone unless that is the main one.
 * Returns its length, 0: too long for any name. */
static size_t qualify(const struct settings *settings, struct text name,
                      char qualified[static KUBESVC_NAME_MAX])
{
    size_t zone_length = settings->other ? settings->zone_length + (size_t)1 : 0;

    if (name.length > KUBESVC_NAME_MAX || zone_length > KUBESVC_NAME_MAX - name.length)
        return 0;
    for (size_t i = 0; i < name.length; i++)
        qualified[i] = name_fold(name.data[i]);
    if (zone_length > 0) {
        qualified[name.length] = '@';
        memcpy(qualified + name.length + 1, settings->zone, settings->zone_length);
    }
    return name.length + zone_length;
}

/* The record of "<type><name>". */
static struct snapshot_record find_name(const struct lookup *lookup, char type, struct text name)
{
    char key[1 + KUBESVC_NAME_MAX] = {type};
    size_t length = qualify(lookup->settings, name, key + 1);

    return length > 0 ? snapshot_find(lookup->view, key, 1 + length)
                      : (struct snapshot_record){NULL, 0};
}

struct lookup_set lookup_read_set(struct snapshot_record record, const struct kubesvc_set *stored)
{
    struct lookup_set set = {
        .n_inet = snapshot_u32(&stored->n_inet),
        .n_inet6 = snapshot_u32(&stored->n_inet6),
    };

    set.inet = snapshot_bytes(record, snapshot_u32(&stored->inet), (uint64_t)set.n_inet * 4);
    if (set.inet == NULL)
        set.n_inet = 0;
    set.inet6 = snapshot_bytes(record, snapshot_u32(&stored->inet6), (uint64_t)set.n_inet6 * 16);
    if (set.inet6 == NULL)
        set.n_inet6 = 0;
    return set;
}

const struct kubesvc_address *lookup_address(const struct snapshot_view *view,
                                             const uint8_t address[static 16],
                                             struct snapshot_record *record)
{
    uint8_t key[17] = {'a'};

    memcpy(key + 1, address, 16);
    *record = snapshot_find(view, key, sizeof key);
    return (const void *)snapshot_bytes(*record, 0, sizeof(struct kubesvc_address));
}

/* --- Answers --- */

/* `empty` is the outcome of a set without an address. */
static enum resolver_outcome answer_set(struct lookup *lookup, struct lookup_set set,
                                        enum resolver_outcome empty)
{
    if (set.n_inet == 0 && set.n_inet6 == 0)
        return empty;
    lookup->set = set;
    return RESOLVER_FOUND;
}

/* A name that only has names below it (rules 11 and 12). */
static enum resolver_outcome answer_bare(struct lookup *lookup)
{
    lookup->flags |= RESOLVER_BARE;
    return RESOLVER_NODATA;
}

/* One address, spelled by the name itself: it exists in its own family only. */
static enum resolver_outcome answer_literal(struct lookup *lookup, const uint8_t address[static 16])
{
    memcpy(lookup->literal, address, sizeof lookup->literal);
    lookup->set = inet_is_mapped(address)
                      ? (struct lookup_set){.inet = lookup->literal + 12, .n_inet = 1}
                      : (struct lookup_set){.inet6 = lookup->literal, .n_inet6 = 1};
    return RESOLVER_FOUND;
}

/* --- Below a Service --- */

const struct kubesvc_endpoint *lookup_find_endpoint(struct snapshot_record record,
                                                    const struct kubesvc_span *table,
                                                    const char *label, size_t label_length)
{
    uint32_t low = 0, high;
    const struct kubesvc_endpoint *endpoints =
        (const void *)snapshot_table(record, table, sizeof *endpoints, &high);

    while (low < high) {
        uint32_t middle = low + (high - low) / 2, length;
        const uint8_t *stored = snapshot_span(record, &endpoints[middle].label, &length);
        int order = 0;

        if (stored == NULL)
            return NULL;
        for (size_t i = 0; order == 0 && i < label_length && i < length; i++)
            order = (uint8_t)name_fold(label[i]) - stored[i];
        if (order == 0)
            order = (label_length > length) - (label_length < length);
        if (order == 0)
            return &endpoints[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool lookup_contains(const uint8_t *addresses, uint32_t n, size_t size, const uint8_t *wanted)
{
    uint32_t low = 0, high = n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = memcmp(wanted, addresses + middle * size, size);

        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

/* <endpoint>.<service>: a hostname, or the dashed address of an endpoint without one (rules 34 to
 * 37); _tcp is read like any other label (rule 48). Where a hostname looks like another endpoint's
 * dashed address, its entry holds both. */
static enum resolver_outcome lookup_endpoint(struct lookup *lookup, struct snapshot_record record,
                                             const struct kubesvc_service *service,
                                             struct text label)
{
    const struct kubesvc_endpoint *endpoint =
        lookup_find_endpoint(record, &service->endpoints, label.data, label.length);
    uint8_t address[16];
    struct lookup_set unnamed;

    if (endpoint != NULL)
        return answer_set(lookup, lookup_read_set(record, &endpoint->addresses), RESOLVER_NXDOMAIN);
    if (!dashed_parse_canonical(label.data, label.length, address))
        return RESOLVER_NXDOMAIN;
    unnamed = lookup_read_set(record, &service->unnamed);
    if (inet_is_mapped(address) ? !lookup_contains(unnamed.inet, unnamed.n_inet, 4, address + 12)
                                : !lookup_contains(unnamed.inet6, unnamed.n_inet6, 16, address))
        return RESOLVER_NXDOMAIN;
    return answer_literal(lookup, address);
}

static struct text strip_underscore(struct text label)
{
    if (label.length > 0 && label.data[0] == '_')
        return (struct text){label.data + 1, label.length - 1};
    return label;
}

bool lookup_parse_protocol(const char *label, size_t length, uint32_t *protocol)
{
    static const char names[][5] = {
        [KUBESVC_PROTOCOL_ANY] = "",
        [KUBESVC_PROTOCOL_TCP] = "tcp",
        [KUBESVC_PROTOCOL_UDP] = "udp",
        [KUBESVC_PROTOCOL_SCTP] = "sctp",
    };
    struct text text = strip_underscore((struct text){label, length});

    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (text_is(text, names[i])) {
            *protocol = i;
            return true;
        }
    }
    return false;
}

/* [_]<port>.[_]<protocol>.<service>: the Service, limited to that port (rule 47). */
static enum resolver_outcome lookup_port(struct lookup *lookup, struct snapshot_record record,
                                         const struct kubesvc_service *service, struct text port,
                                         struct text protocol_label, enum resolver_outcome empty)
{
    const struct kubesvc_port *ports;
    uint32_t n, protocol;

    port = strip_underscore(port);
    if (!lookup_parse_protocol(protocol_label.data, protocol_label.length, &protocol))
        return RESOLVER_NXDOMAIN;
    if (port.length == 0 && protocol == KUBESVC_PROTOCOL_ANY)
        return answer_set(lookup, lookup_read_set(record, &service->addresses), empty);

    ports = (const void *)snapshot_table(record, &service->ports, sizeof *ports, &n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t length;
        const char *name = (const char *)snapshot_span(record, &ports[i].name, &length);

        if (name != NULL && snapshot_u32(&ports[i].protocol) == protocol &&
            name_equal(name, length, port.data, port.length))
            return answer_set(lookup, lookup_read_set(record, &ports[i].addresses), empty);
    }
    return RESOLVER_NXDOMAIN;
}

/* [<below>.]<service>.<namespace>.svc: `key` is "service.namespace". */
static enum resolver_outcome lookup_service(struct lookup *lookup, struct text below,
                                            struct text key)
{
    struct snapshot_record record = find_name(lookup, 's', key);
    const struct kubesvc_service *service =
        (const void *)snapshot_bytes(record, 0, sizeof(struct kubesvc_service));
    struct text first, second;
    enum resolver_outcome empty;
    uint32_t type, length;

    if (service == NULL)
        return RESOLVER_NXDOMAIN; /* rules 10 and 46 */
    if (below.length == 0)
        lookup->flags |= RESOLVER_SERVICE;
    if ((snapshot_u32(&service->flags) & KUBESVC_SERVICE_HIDDEN) != 0)
        return RESOLVER_NXDOMAIN; /* rules 51 and 61 */

    lookup->service = record;
    lookup->below = below.data;
    lookup->below_length = below.length;
    type = snapshot_u32(&service->type);
    if (type == KUBESVC_SERVICE_EXTERNAL_NAME) {
        if (below.length > 0 && !text_is(below, "_._"))
            return RESOLVER_NXDOMAIN; /* rules 43 and 47 */
        lookup->target = (const char *)snapshot_span(record, &service->target, &length);
        lookup->target_length = length;
        return RESOLVER_NODATA;
    }

    empty = type == KUBESVC_SERVICE_HEADLESS ? RESOLVER_NXDOMAIN /* rule 3 */
                                             : RESOLVER_NODATA;  /* rule 54 */
    if (!cut_label(&below, &first))
        return answer_set(lookup, lookup_read_set(record, &service->addresses), empty);
    if (!cut_label(&below, &second))
        return lookup_endpoint(lookup, record, service, first);
    if (below.length > 0)
        return RESOLVER_NXDOMAIN; /* rule 45 */
    return lookup_port(lookup, record, service, second, first, empty);
}

/* --- Inside the zone --- */

/* Is there a pod of this address in the namespace (rule 65)? */
static bool is_pod(const struct lookup *lookup, const uint8_t address[static 16], struct text ns)
{
    char qualified[KUBESVC_NAME_MAX];
    size_t qualified_length = qualify(lookup->settings, ns, qualified);
    struct snapshot_record record;
    const struct kubesvc_address *stored = lookup_address(lookup->view, address, &record);
    const struct kubesvc_span *pods;
    uint32_t n;

    if (stored == NULL)
        return false;
    pods = (const void *)snapshot_table(record, &stored->pods, sizeof *pods, &n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t length;
        const char *name = (const char *)snapshot_span(record, &pods[i], &length);

        if (name != NULL && name_equal(name, length, qualified, qualified_length))
            return true;
    }
    return false;
}

/* <address>.<namespace>.pod (rules 63 to 66) */
static enum resolver_outcome lookup_pod(struct lookup *lookup, struct text rest, struct text ns)
{
    uint8_t address[16];
    struct text label;

    if (lookup->settings->pods != KUBESVC_PODS_INSECURE &&
        lookup->settings->pods != KUBESVC_PODS_VERIFIED)
        return RESOLVER_NXDOMAIN;
    if (!cut_label(&rest, &label))
        return answer_bare(lookup);
    if (rest.length > 0 || !dashed_parse(label.data, label.length, address))
        return RESOLVER_NXDOMAIN;
    if (lookup->settings->pods == KUBESVC_PODS_VERIFIED && !is_pod(lookup, address, ns))
        return RESOLVER_NXDOMAIN;
    return answer_literal(lookup, address);
}

/* NXDOMAIN or NOT_OURS of a namespace that cannot be answered for; FOUND if it can. */
static enum resolver_outcome check_namespace(const struct lookup *lookup, struct text ns)
{
    struct snapshot_record record = find_name(lookup, 'n', ns);
    const struct kubesvc_namespace *stored =
        (const void *)snapshot_bytes(record, 0, sizeof(struct kubesvc_namespace));

    if (stored == NULL)
        return (lookup->settings->flags & KUBESVC_SETTINGS_FALLTHROUGH) != 0 ? RESOLVER_NOT_OURS
                                                                             : RESOLVER_NXDOMAIN;
    return (snapshot_u32(&stored->flags) & KUBESVC_NAMESPACE_EXPOSED) != 0 ? RESOLVER_FOUND
                                                                           : RESOLVER_NXDOMAIN;
}

enum resolver_outcome lookup_name(struct lookup *lookup, const char *name, size_t length)
{
    struct text rest = {name, length}, top, ns, service;
    enum resolver_outcome outcome;
    bool is_service;

    if (!cut_label(&rest, &top))
        return answer_bare(lookup);
    is_service = text_is(top, "svc");
    if (!is_service && !text_is(top, "pod"))
        return RESOLVER_NXDOMAIN; /* rules 45 and 49 */
    if (!cut_label(&rest, &ns))
        return answer_bare(lookup);
    outcome = check_namespace(lookup, ns);
    if (outcome != RESOLVER_FOUND)
        return outcome;
    if (!is_service)
        return lookup_pod(lookup, rest, ns);
    if (!cut_label(&rest, &service))
        return answer_bare(lookup);
    return lookup_service(lookup, rest,
                          (struct text){service.data, service.length + 1 + ns.length});
}
