/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON: yajl's generator with the few shapes used in every report. A generator only fails when
 * misused, so nothing here has an error path.
 */
#include "json.h"

#include <glib.h>
#include <string.h>
#include <time.h>
#include <yajl/yajl_gen.h>

struct json {
    yajl_gen gen;
    void (*print)(void *userdata, const char *text, size_t size);
    void *userdata;
};

static void on_print(void *userdata, const char *text, size_t size)
{
    const struct json *json = userdata;

    json->print(json->userdata, text, size);
}

struct json *json_new(void (*print)(void *userdata, const char *text, size_t size), void *userdata)
{
    struct json *json = g_new(struct json, 1);

    *json = (struct json){yajl_gen_alloc(NULL), print, userdata};
    (void)yajl_gen_config(json->gen, yajl_gen_print_callback, on_print, json);
    return json;
}

struct json *json_free(struct json *json)
{
    if (!json)
        return NULL;
    yajl_gen_free(json->gen);
    g_free(json);
    return NULL;
}

static void put(struct json *json, const char *text)
{
    size_t length = strlen(text);
    g_autofree char *valid = NULL;

    /* The path of a file may be anything. */
    if (!g_utf8_validate(text, (gssize)length, NULL)) {
        valid = g_utf8_make_valid(text, (gssize)length);
        text = valid;
        length = strlen(text);
    }
    (void)yajl_gen_string(json->gen, (const unsigned char *)text, length);
}

static void put_key(struct json *json, const char *key)
{
    if (key)
        put(json, key);
}

void json_open(struct json *json, const char *key)
{
    put_key(json, key);
    (void)yajl_gen_map_open(json->gen);
}

void json_close(struct json *json)
{
    (void)yajl_gen_map_close(json->gen);
}

void json_open_list(struct json *json, const char *key)
{
    put_key(json, key);
    (void)yajl_gen_array_open(json->gen);
}

void json_close_list(struct json *json)
{
    (void)yajl_gen_array_close(json->gen);
}

void json_text(struct json *json, const char *key, const char *text)
{
    if (!text)
        return;
    put_key(json, key);
    put(json, text);
}

void json_number(struct json *json, const char *key, uint64_t number)
{
    char text[21];
    int length = g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, number);

    put_key(json, key);
    (void)yajl_gen_number(json->gen, text, (size_t)length);
}

void json_bool(struct json *json, const char *key, bool value)
{
    put_key(json, key);
    (void)yajl_gen_bool(json->gen, value);
}

void json_end_line(struct json *json)
{
    yajl_gen_reset(json->gen, "\n");
}

void json_address(struct json *json, const char *key, const struct address *address)
{
    char text[ADDRESS_TEXT_MAX];

    address_format(address, text);
    json_text(json, key, text);
}

void json_addresses(struct json *json, const char *key, const uint8_t *addresses, uint32_t n,
                    size_t size)
{
    if (n == 0)
        return;
    json_open_list(json, key);
    for (uint32_t i = 0; i < n; i++) {
        struct address address = {{[10] = 0xff, [11] = 0xff}};

        memcpy(address.bytes + sizeof address.bytes - size, addresses + i * size, size);
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

void json_labels(struct json *json, const char *key, const struct labels *labels)
{
    if (!labels)
        return;
    json_open(json, key);
    for (uint32_t i = 0; i < labels->n; i++)
        json_text(json, labels->pairs[i].key, labels->pairs[i].value);
    json_close(json);
}

static const char *protocol_name(uint8_t protocol)
{
    switch ((enum port_protocol)protocol) {
    case PORT_UDP: return "UDP";
    case PORT_SCTP: return "SCTP";
    case PORT_TCP: break;
    }
    return "TCP";
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
        json_text(json, "protocol", protocol_name(port->protocol));
        json_text(json, "targetPort", port->target_name);
        if (!port->target_name && port->target != 0)
            json_number(json, "targetPort", port->target);
        json_close(json);
    }
    json_close_list(json);
}

void json_time(struct json *json, const char *key, uint64_t realtime)
{
    time_t seconds = (time_t)(realtime / G_USEC_PER_SEC);
    struct tm parts;
    char text[sizeof "2026-01-02T03:04:05Z" + 16];

    if (realtime == 0 || !gmtime_r(&seconds, &parts) ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return;
    json_text(json, key, text);
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
