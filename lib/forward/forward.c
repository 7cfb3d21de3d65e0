/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What to forward, checked as it is built: an author of a manifest must not be able to take over
 * the host's own connections by stating a cluster IP.
 */
#include "forward.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz0123456789-"
#define LABEL_MAX 63u
#define ZONE_MAX 253u

static bool is_label(const char *text, size_t length)
{
    return length > 0 && length <= LABEL_MAX && strspn(text, LETTERS) >= length;
}

/* NAMESPACE or NAMESPACE@ZONE */
static bool is_namespace(const char *text)
{
    size_t length = strcspn(text, "@"), zone = strlen(text + length);

    return is_label(text, length) &&
           (zone == 0 || (zone > 1 && zone <= 1 + ZONE_MAX &&
                          strspn(text + length + 1, LETTERS ".") == zone - 1));
}

static void port_free(void *data)
{
    struct forward_port *port = data;

    g_array_unref(port->targets);
    g_free(port);
}

struct forward_service *forward_service_new(const char *ns, const char *name)
{
    struct forward_service *service;

    if (!is_namespace(ns) || !is_label(name, strlen(name)))
        return NULL;
    service = g_new(struct forward_service, 1);
    *service = (struct forward_service){
        .ns = g_strdup(ns),
        .name = g_strdup(name),
        .cluster_ips = g_array_new(FALSE, FALSE, sizeof(struct address)),
        .ports = g_ptr_array_new_with_free_func(port_free),
    };
    return service;
}

struct forward_service *forward_service_free(struct forward_service *service)
{
    if (!service)
        return NULL;
    g_free(service->ns);
    g_free(service->name);
    g_array_unref(service->cluster_ips);
    g_ptr_array_unref(service->ports);
    g_free(service);
    return NULL;
}

bool forward_is_special(const struct address *address)
{
    static const char *const ranges[] = {
        "0.0.0.0/8", "127.0.0.0/24", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32",
        "::1/128",   "::/128",       "fe80::/10",      "ff00::/8",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
        struct address_range range;

        if (address_range_parse(&range, ranges[i]) && address_range_contains(&range, address))
            return true;
    }
    return false;
}

bool forward_service_add_ip(struct forward_service *service, const struct address *address)
{
    if (forward_is_special(address))
        return false;
    g_array_append_val(service->cluster_ips, *address);
    return true;
}

struct forward_port *forward_service_add_port(struct forward_service *service,
                                              enum forward_protocol protocol, uint16_t number)
{
    struct forward_port *port = g_new(struct forward_port, 1);

    *port = (struct forward_port){
        .protocol = protocol,
        .number = number,
        .targets = g_array_new(FALSE, FALSE, sizeof(struct forward_target)),
    };
    g_ptr_array_add(service->ports, port);
    return port;
}

void forward_port_add_target(struct forward_port *port, const struct address *address,
                             uint16_t number, bool terminating)
{
    struct forward_target target = {
        .address = *address, .port = number, .terminating = terminating};

    g_array_append_val(port->targets, target);
}
