/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The few shapes used in every report.
 */
#include "report_json.h"

#include <string.h>

void json_address(struct json *json, const char *key, const struct address *address)
{
    char text[ADDRESS_TEXT_MAX];

    address_format(address, text);
    json_text(json, key, text);
}

void json_address_array(struct json *json, const char *key, const GArray *addresses)
{
    json_open_list(json, key);
    for (guint i = 0; i < addresses->len; i++)
        json_address(json, NULL, &g_array_index(addresses, struct address, i));
    json_close_list(json);
}

void json_addresses(struct json *json, const char *key, const uint8_t *addresses, uint32_t n,
                    size_t size)
{
    if (n == 0)
        return;
    json_open_list(json, key);
    for (uint32_t i = 0; i < n; i++) {
        const struct address address = address_from(addresses + i * size, size);

        json_address(json, NULL, &address);
    }
    json_close_list(json);
}

void json_ranges(struct json *json, const char *key, const GArray *ranges)
{
    json_open_list(json, key);
    for (guint i = 0; i < ranges->len; i++) {
        const struct address_range *range = &g_array_index(ranges, struct address_range, i);
        char text[ADDRESS_RANGE_TEXT_MAX];

        address_range_format(range, text);
        json_text(json, NULL, text);
    }
    json_close_list(json);
}

void json_texts(struct json *json, const char *key, char *const *texts)
{
    if (!texts)
        return;
    json_open_list(json, key);
    for (; *texts; texts++)
        json_text(json, NULL, *texts);
    json_close_list(json);
}

void json_text_array(struct json *json, const char *key, const GPtrArray *texts)
{
    json_open_list(json, key);
    for (guint i = 0; i < texts->len; i++)
        json_text(json, NULL, texts->pdata[i]);
    json_close_list(json);
}

void json_labels(struct json *json, const char *key, const struct labels *labels)
{
    if (!labels)
        return;
    json_open(json, key);
    for (uint32_t i = 0; i < labels->n; i++)
        json_text(json, labels->pairs[i].key, labels->pairs[i].value);
    json_close(json);
}

void json_protocol(struct json *json, uint8_t protocol)
{
    static const char *const names[] = {
        [PORT_TCP] = "TCP", [PORT_UDP] = "UDP", [PORT_SCTP] = "SCTP"};

    json_text(json, "protocol", names[protocol]);
}

void json_ports(struct json *json, const char *key, const struct ports *ports)
{
    if (!ports)
        return;
    json_open_list(json, key);
    for (uint32_t i = 0; i < ports->n; i++) {
        const struct port *port = &ports->items[i];

        json_open(json, NULL);
        json_text(json, "name", port->name);
        if (port->number != 0)
            json_number(json, "port", port->number);
        json_protocol(json, port->protocol);
        json_text(json, "targetPort", port->target_name);
        if (!port->target_name && port->target != 0)
            json_number(json, "targetPort", port->target);
        json_close(json);
    }
    json_close_list(json);
}

void json_place(struct json *json, const struct object *object)
{
    json_text(json, "file", object->source->path);
    json_number(json, "line", object->line);
    json_number(json, "column", object->column);
}

void json_position(struct json *json, const char *key, const struct object *object)
{
    json_open(json, key);
    json_place(json, object);
    json_close(json);
}

void json_shadowed(struct json *json, const struct object *object)
{
    json_open_list(json, "shadowed");
    for (const struct object *other = object->shadowed; other; other = other->shadowed)
        json_position(json, NULL, other);
    json_close_list(json);
}
