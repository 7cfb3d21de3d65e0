/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules of the API that several kinds share.
 */
#include "validate.h"

#include <string.h>

#include "lib/util/hash.h"

#define LABEL_NAME_MAX 63u
#define PORT_NAME_MAX 15u

struct position validate_position(const struct yaml_node *node, const struct yaml_node *otherwise)
{
    return node ? node->position : otherwise->position;
}

GHashTable *validate_texts(void)
{
    return g_hash_table_new(hash_text, g_str_equal);
}

/* Letters and digits of either case with "-", "_" and "." between them. */
static bool is_qualified(const char *text, size_t length)
{
    if (length == 0)
        return true;
    if (length > LABEL_NAME_MAX || !g_ascii_isalnum(text[0]) || !g_ascii_isalnum(text[length - 1]))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isalnum(text[i]) && !strchr("-_.", text[i]))
            return false;
    }
    return true;
}

static bool is_label_key(const char *key)
{
    const char *slash = strchr(key, '/'), *name = slash ? slash + 1 : key;
    g_autofree char *prefix = NULL;

    if (*name == '\0' || !is_qualified(name, strlen(name)))
        return false;
    if (!slash)
        return true;
    prefix = g_strndup(key, (size_t)(slash - key));
    return dns_subdomain_is_valid(prefix);
}

void validate_labels(struct fields *fields, const struct yaml_node *map, const char *what)
{
    const struct yaml_node *child = yaml_node_entries(map);

    for (; child; child = child->next) {
        if (!is_label_key(child->key)) {
            fields_refuse(fields, child->key_position, "invalid-label",
                          "a key in %s must be at most %u letters, digits, '-', '_' and '.', "
                          "perhaps with a DNS name and '/' before them",
                          what, LABEL_NAME_MAX);
            return;
        }
        if (child->type == YAML_NODE_SCALAR && !is_qualified(child->text, child->length)) {
            fields_refuse(fields, child->position, "invalid-label",
                          "a value in %s must be at most %u letters, digits, '-', '_' and '.'",
                          what, LABEL_NAME_MAX);
            return;
        }
    }
}

static bool is_short_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return name[length] == '\0' && length <= PORT_NAME_MAX && name[0] != '-' &&
           name[length - 1] != '-' && !strstr(name, "--") &&
           strcspn(name, "abcdefghijklmnopqrstuvwxyz") < length;
}

static void check_port_name(struct fields *fields, const struct yaml_node *port, const char *name,
                            enum port_names form)
{
    struct position position = yaml_node_get(port, "name")->position;

    if (form == PORT_NAMES_SHORT && !is_short_name(name))
        fields_refuse(fields, position, "invalid-name",
                      "the name of a container's port must be at most %u of [a-z0-9-] with a "
                      "letter among them",
                      PORT_NAME_MAX);
    else if (form != PORT_NAMES_SHORT && !dns_label_is_valid(name))
        fields_refuse(fields, position, "invalid-name",
                      "the name of a port must be a DNS label ([a-z0-9-], at most 63 characters)");
}

void validate_port_names(struct fields *fields, const struct yaml_node *ports, enum port_names form)
{
    g_autoptr(GHashTable) seen = NULL;
    const struct yaml_node *first = yaml_node_elements(ports);
    bool several = first && first->next;

    for (const struct yaml_node *port = first; port; port = port->next) {
        const char *name = decode_peek(port, "name");

        if (port->type != YAML_NODE_MAP)
            continue;
        if (name) {
            check_port_name(fields, port, name, form);
        } else if (several && form == PORT_NAMES_LABELS && !yaml_node_get(port, "name")) {
            fields_refuse(fields, port->position, "unnamed-port",
                          "with several ports each needs a name");
        }
        if (!several || (!name && form != PORT_NAMES_OF_SLICE))
            continue;
        if (!seen)
            seen = validate_texts();
        if (!g_hash_table_add(seen, (gpointer)(uintptr_t)(name ? name : "")))
            fields_refuse(fields, port->position, "duplicate-port",
                          name ? "duplicate port name" : "a second port without a name");
    }
}
