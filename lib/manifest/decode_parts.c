/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parts that several kinds of objects share: addresses, ports, names, owners, choices.
 */
#include <string.h>

#include "decode.h"
#include "lib/yaml/composer.h"
#include "lib/yaml/scalar.h"

#define BLANKS " \t\n\f\r"

const char *decode_name(struct fields *fields, const struct yaml_node *map, const char *key)
{
    return name_intern(fields_string(fields, map, key));
}

const struct labels *decode_labels(struct fields *fields, const struct yaml_node *map,
                                   const char *key)
{
    const struct yaml_node *labels = fields_map(fields, map, key);
    g_autoptr(GArray) pairs = NULL;

    if (!labels || !labels->first)
        return NULL;
    pairs = g_array_new(FALSE, FALSE, sizeof(struct label));
    for (const struct yaml_node *child = labels->first; child; child = child->next) {
        bool is_string = fields_is_string(child);
        struct label pair = {child->key, is_string ? child->text : ""}; /* null is "", as in Go */

        if (child->omitted) {
            fields_error(fields, child->position, "too-long", "a value of %s is longer than %u KiB",
                         key, COMPOSER_KEPT_MAX >> 10);
            continue;
        }
        if (!is_string && !scalar_is_null(child)) {
            fields_error(fields, child->position, "wrong-type",
                         "each value of %s must be a string: quote it", key);
            continue;
        }
        if (pairs->len == DECODE_LABELS_MAX) {
            fields_error(fields, child->key_position, "too-many", "more than %u entries in %s",
                         DECODE_LABELS_MAX, key);
            break;
        }
        g_array_append_val(pairs, pair);
    }
    return labels_new((const struct label *)(void *)pairs->data, pairs->len);
}

struct addresses decode_take_addresses(GArray *addresses)
{
    struct addresses taken = {.n = addresses->len};

    if (taken.n > 0)
        taken.items = g_memdup2(addresses->data, addresses->len * sizeof(struct address));
    return taken;
}

static struct addresses split_addresses(struct fields *fields, const struct yaml_node *node)
{
    g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(struct address));
    g_auto(GStrv) parts = g_strsplit(node->text, ",", -1);

    for (char **part = parts; *part; part++) {
        const char *text = g_strstrip(*part);
        struct address address;

        if (!address_parse(&address, text, strlen(text))) {
            fields_error(fields, node->position, "invalid-address",
                         DECODE_ADDRESSES_ANNOTATION " must be IP addresses separated by commas");
            break;
        }
        g_array_append_val(addresses, address);
    }
    return decode_take_addresses(addresses);
}

struct addresses decode_stated_addresses(struct fields *fields, const struct yaml_node *metadata)
{
    const struct yaml_node *annotations = fields_map(fields, metadata, "annotations"), *node;
    struct addresses addresses = {0};

    decode_whole(fields);
    node = fields_get(fields, annotations, DECODE_ADDRESSES_ANNOTATION);
    if (node && fields_text(fields, node, DECODE_ADDRESSES_ANNOTATION) &&
        strspn(node->text, BLANKS) < node->length)
        addresses = split_addresses(fields, node);
    decode_part(fields);
    return addresses;
}

const struct labels *decode_own_labels(struct fields *fields, const struct yaml_node *metadata)
{
    const struct yaml_node *map = yaml_node_get(metadata, "labels");
    g_autoptr(GArray) pairs = NULL;

    if (!map || map->type != YAML_NODE_MAP || !map->first)
        return NULL;
    pairs = g_array_new(FALSE, FALSE, sizeof(struct label));
    for (const struct yaml_node *child = map->first; child; child = child->next) {
        struct label pair = {.key = child->key, .value = ""};

        if (child->type != YAML_NODE_SCALAR)
            continue;
        if (scalar_read(child).type != SCALAR_NULL)
            pair.value = child->text;
        if (pairs->len == DECODE_LABELS_MAX) {
            fields_warning(fields, child->key_position, "too-many",
                           "more than %u labels; the rest are ignored", DECODE_LABELS_MAX);
            break;
        }
        g_array_append_val(pairs, pair);
    }
    return labels_new((const struct label *)(void *)pairs->data, pairs->len);
}

const char *decode_dns_label(struct fields *fields, const struct yaml_node *map, const char *key)
{
    const char *text = fields_string(fields, map, key);

    if (!text || dns_label_is_valid(text))
        return text;
    fields_error(fields, yaml_node_get(map, key)->position, "invalid-name",
                 "%s must be a DNS label ([a-z0-9-], at most 63 characters)", key);
    return NULL;
}

int decode_choice(struct fields *fields, const struct yaml_node *map, const char *key,
                  const char *const choices[], int fallback)
{
    const char *text = fields_string(fields, map, key);

    if (!text)
        return fallback;
    for (int i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text) == 0)
            return i;
    }
    fields_error(fields, yaml_node_get(map, key)->position, "bad-value", "%s has an unknown value",
                 key);
    return fallback;
}

static uint8_t read_protocol(struct fields *fields, const struct yaml_node *map)
{
    const char *text = fields_string(fields, map, "protocol");

    if (!text || strcmp(text, "TCP") == 0)
        return PORT_TCP;
    if (strcmp(text, "UDP") == 0)
        return PORT_UDP;
    if (strcmp(text, "SCTP") == 0)
        return PORT_SCTP;
    fields_error(fields, yaml_node_get(map, "protocol")->position, "bad-value",
                 "protocol must be TCP, UDP or SCTP");
    return 0;
}

static void read_target(struct fields *fields, const struct yaml_node *map, struct port *port)
{
    const struct yaml_node *node = fields_get(fields, map, "targetPort");
    int64_t number = 0;

    if (!node)
        return;
    if (node->type == YAML_NODE_SCALAR && scalar_read(node).type == SCALAR_STRING) {
        port->target_name = fields_text(fields, node, "targetPort");
        if (port->target_name && *port->target_name == '\0')
            port->target_name = NULL;
        return;
    }
    /* 0 is the same as absent */
    if (fields_integer(fields, map, "targetPort", 0, 65535, &number))
        port->target = (uint16_t)number;
}

/* False if it is not to be used. */
static bool read_port(struct fields *fields, const struct yaml_node *map, const char *number,
                      bool number_required, struct port *port)
{
    bool refused_before = fields->refused, good;
    int64_t value = 0;

    fields->refused = false;
    *port = (struct port){.name = fields_string(fields, map, "name")};
    if (fields_integer(fields, map, number, 1, 65535, &value))
        port->number = (uint16_t)value;
    port->protocol = read_protocol(fields, map);
    read_target(fields, map, port);
    good = !fields->refused && (port->number > 0 || !number_required);
    fields->refused |= refused_before;
    return good;
}

void decode_ports(struct fields *fields, const struct yaml_node *first, const char *number,
                  bool number_required, GArray *ports)
{
    const struct yaml_node *map;

    while ((map = fields_next_map(fields, &first, "ports"))) {
        if (ports->len == DECODE_PORTS_MAX) {
            if (!fields->refused) /* not already reported for the container */
                fields_refuse(fields, map->position, "too-many",
                              "more than %u ports; the rest are ignored", DECODE_PORTS_MAX);
            return;
        }
        struct port port;

        if (read_port(fields, map, number, number_required, &port))
            g_array_append_val(ports, port);
    }
}

struct ports *decode_take_ports(const GArray *ports)
{
    if (ports->len == 0)
        return NULL;
    return ports_new((const struct port *)(void *)ports->data, ports->len);
}

struct owner decode_owner(struct fields *fields, const struct yaml_node *metadata)
{
    const struct yaml_node *iterator = fields_elements(fields, metadata, "ownerReferences");
    const struct yaml_node *map, *chosen = NULL;
    struct owner owner = {.kind = OBJECT_KINDS};
    const char *kind;

    while ((map = fields_next_map(fields, &iterator, "ownerReferences"))) {
        if (fields_bool(fields, map, "controller", false)) {
            chosen = map;
            break;
        }
        if (!chosen)
            chosen = map;
    }
    kind = fields_string(fields, chosen, "kind");
    if (kind)
        owner.kind = (uint8_t)object_kind_find(kind);
    /* an unknown kind matters if it is the controller: the pod is not free */
    if (owner.kind != OBJECT_KINDS || fields_bool(fields, chosen, "controller", false))
        owner.name = decode_name(fields, chosen, "name");
    if (!owner.name)
        owner.kind = OBJECT_KINDS;
    return owner;
}
