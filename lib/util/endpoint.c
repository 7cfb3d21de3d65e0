/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Endpoints: text to socket address and back, on top of the address parser.
 */
#include "endpoint.h"

#include <arpa/inet.h>
#include <glib.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static bool parse_port(uint16_t *port, const char *text)
{
    guint64 value;

    if (!g_ascii_string_to_unsigned(text, 10, 1, UINT16_MAX, &value, NULL))
        return false;
    *port = (uint16_t)value;
    return true;
}

static void set_inet(union endpoint *endpoint, const struct address *address, uint16_t port)
{
    endpoint->inet = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&endpoint->inet.sin_addr, address->bytes + 12, 4);
}

static void set_inet6(union endpoint *endpoint, const struct address *address, uint16_t port,
                      unsigned scope)
{
    endpoint->inet6 = (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope};
    memcpy(&endpoint->inet6.sin6_addr, address->bytes, sizeof address->bytes);
}

/* `text` of `length` bytes: an address; if IPv6, possibly with "%interface". */
static bool parse_address(union endpoint *endpoint, const char *text, size_t length, uint16_t port)
{
    const char *zone = memchr(text, '%', length);
    char interface[IF_NAMESIZE];
    struct address address;
    unsigned scope = 0;

    if (!address_parse(&address, text, zone ? (size_t)(zone - text) : length))
        return false;
    *endpoint = (union endpoint){0};
    if (zone) {
        size_t size = length - (size_t)(zone - text); /* with the % for the NUL */

        if (size > sizeof interface || address_is_inet(&address))
            return false;
        memcpy(interface, zone + 1, size - 1);
        interface[size - 1] = '\0';
        scope = if_nametoindex(interface);
        if (scope == 0)
            return false;
    }
    if (address_is_inet(&address))
        set_inet(endpoint, &address, port);
    else
        set_inet6(endpoint, &address, port, scope);
    return true;
}

bool endpoint_parse(union endpoint *endpoint, const char *text, uint16_t default_port)
{
    const char *colon = strchr(text, ':'), *end;
    uint16_t port = default_port;

    if (*text == '[') {
        end = strchr(text, ']');
        if (!end || (end[1] && (end[1] != ':' || !parse_port(&port, end + 2))))
            return false;
        return memchr(text, ':', (size_t)(end - text)) &&
               parse_address(endpoint, text + 1, (size_t)(end - text) - 1, port);
    }
    end = text + strlen(text);
    if (colon && !strchr(colon + 1, ':')) {
        if (!parse_port(&port, colon + 1))
            return false;
        end = colon;
    }
    return parse_address(endpoint, text, (size_t)(end - text), port);
}

void endpoint_format(const union endpoint *endpoint, char text[static ENDPOINT_TEXT_MAX])
{
    char address[INET6_ADDRSTRLEN] = "", zone[IF_NAMESIZE + 1] = "";

    if (endpoint->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &endpoint->inet.sin_addr, address, sizeof address);
        snprintf(text, ENDPOINT_TEXT_MAX, "%s:%u", address, endpoint_port(endpoint));
        return;
    }
    inet_ntop(AF_INET6, &endpoint->inet6.sin6_addr, address, sizeof address);
    if (endpoint->inet6.sin6_scope_id && if_indextoname(endpoint->inet6.sin6_scope_id, zone + 1))
        zone[0] = '%';
    snprintf(text, ENDPOINT_TEXT_MAX, "[%s%s]:%u", address, zone, endpoint_port(endpoint));
}

socklen_t endpoint_size(const union endpoint *endpoint)
{
    return endpoint->any.sa_family == AF_INET ? sizeof endpoint->inet : sizeof endpoint->inet6;
}

uint16_t endpoint_port(const union endpoint *endpoint)
{
    return ntohs(endpoint->any.sa_family == AF_INET ? endpoint->inet.sin_port
                                                    : endpoint->inet6.sin6_port);
}

void endpoint_address(const union endpoint *endpoint, struct address *address)
{
    *address = endpoint->any.sa_family == AF_INET ? address_from(&endpoint->inet.sin_addr, 4)
                                                  : address_from(&endpoint->inet6.sin6_addr, 16);
}

bool endpoint_equal(const union endpoint *a, const union endpoint *b)
{
    struct address left, right;

    endpoint_address(a, &left);
    endpoint_address(b, &right);
    return endpoint_port(a) == endpoint_port(b) && address_compare(&left, &right) == 0;
}

bool endpoint_is_wildcard(const union endpoint *endpoint)
{
    return endpoint->any.sa_family == AF_INET ? endpoint->inet.sin_addr.s_addr == htonl(INADDR_ANY)
                                              : IN6_IS_ADDR_UNSPECIFIED(&endpoint->inet6.sin6_addr);
}
