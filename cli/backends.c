/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines of `backends`. The daemon has fewer rights than the program that forwards, so nothing is
 * taken from a line but numbers, addresses and labels.
 */
#include "backends.h"

#include <string.h>

#include "value.h"

static void release_service(struct forward_service **service)
{
    forward_service_free(*service);
}

static bool read_address(const char *text, struct address *address)
{
    return text && address_parse(address, text, strlen(text));
}

static bool read_port_number(yajl_val object, uint16_t *number)
{
    int64_t value = value_number(object, "port");

    *number = (uint16_t)value;
    return value > 0 && value <= UINT16_MAX;
}

static bool read_protocol(yajl_val port, enum forward_protocol *protocol)
{
    static const char *const names[] = {
        [FORWARD_TCP] = "TCP", [FORWARD_UDP] = "UDP", [FORWARD_SCTP] = "SCTP"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        *protocol = (enum forward_protocol)i;
        if (value_is(port, "protocol", names[i]))
            return true;
    }
    return false;
}

static bool read_targets(yajl_val value, const char *key, bool terminating,
                         struct forward_port *port)
{
    for (size_t i = 0; i < value_length(value, key); i++) {
        yajl_val endpoint = value_element(value, key, i);
        struct address address;
        uint16_t number;

        if (!read_address(value_text(endpoint, "address"), &address) ||
            !read_port_number(endpoint, &number))
            return false;
        forward_port_add_target(port, &address, number, terminating);
    }
    return true;
}

static bool read_ports(yajl_val line, struct forward_service *service)
{
    for (size_t i = 0; i < value_length(line, "ports"); i++) {
        yajl_val value = value_element(line, "ports", i);
        enum forward_protocol protocol;
        uint16_t number;

        if (!read_protocol(value, &protocol) || !read_port_number(value, &number))
            return false;
        struct forward_port *port = forward_service_add_port(service, protocol, number);

        if (!read_targets(value, "endpoints", false, port) ||
            !read_targets(value, "terminating", true, port))
            return false;
    }
    return true;
}

static bool read_ips(yajl_val line, struct forward_service *service)
{
    for (size_t i = 0; i < value_length(line, "clusterIPs"); i++) {
        struct address address;

        if (!read_address(value_element_text(line, "clusterIPs", i), &address))
            return false;
        (void)forward_service_add_ip(service, &address);
    }
    return true;
}

static bool take_service(yajl_val line, struct ruleset *ruleset)
{
    const char *ns = value_text(line, "namespace"), *name = value_text(line, "name");
    __attribute__((cleanup(release_service))) struct forward_service *service =
        ns && name ? forward_service_new(ns, name) : NULL;
    int64_t affinity = value_number(line, "affinitySeconds");

    if (!service || affinity < 0 || affinity > FORWARD_AFFINITY_MAX || !read_ips(line, service) ||
        !read_ports(line, service))
        return false;
    service->affinity = (uint32_t)affinity;
    if (value_bool(line, "forwarded"))
        ruleset_set(ruleset, service);
    else
        ruleset_remove(ruleset, ns, name);
    return true;
}

static bool take_removed(yajl_val line, struct ruleset *ruleset)
{
    const char *ns = value_text(line, "namespace"), *name = value_text(line, "name");

    if (ns && name)
        ruleset_remove(ruleset, ns, name);
    return ns && name;
}

static bool take_ranges(yajl_val line, GArray *ranges)
{
    g_array_set_size(ranges, 0);
    for (size_t i = 0; i < value_length(line, "serviceCIDRs"); i++) {
        const char *text = value_element_text(line, "serviceCIDRs", i);
        struct address_range range;

        if (!text || !address_range_parse(&range, text))
            return false;
        g_array_append_val(ranges, range);
    }
    return true;
}

enum backends_line backends_take(const char *line, struct ruleset *ruleset, GArray *ranges)
{
    value_auto yajl_val value = value_parse(line);
    bool good = false;

    if (value_is(value, "event", "end"))
        return BACKENDS_END;
    if (value_is(value, "event", "service"))
        good = take_service(value, ruleset);
    else if (value_is(value, "event", "removed"))
        good = take_removed(value, ruleset);
    else if (value_is(value, "event", "ranges"))
        good = take_ranges(value, ranges);
    return good ? BACKENDS_MORE : BACKENDS_BAD;
}
