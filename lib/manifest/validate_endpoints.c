/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Combinations that are invalid in EndpointSlices and Endpoints.
 */
#include <string.h>

#include "lib/util/address.h"
#include "validate.h"

static void check_address(struct fields *fields, const struct yaml_node *node, const char *type)
{
    struct address address;

    if (node->type != YAML_NODE_SCALAR || !address_parse(&address, node->text, node->length))
        return;
    if ((address_family(&address) == 4) != (strcmp(type, "IPv4") == 0))
        fields_refuse(fields, node->position, "wrong-family", "not an address of addressType %s",
                      type);
}

void validate_slice(struct fields *fields, const struct yaml_node *root,
                    const struct object *object)
{
    (void)object;
    const char *type = decode_peek(root, "addressType");
    const struct yaml_node *endpoint = yaml_node_elements(yaml_node_get(root, "endpoints"));

    validate_port_names(fields, yaml_node_get(root, "ports"), PORT_NAMES_OF_SLICE);
    if (!type || (strcmp(type, "IPv4") != 0 && strcmp(type, "IPv6") != 0))
        return;
    for (; endpoint; endpoint = endpoint->next) {
        const struct yaml_node *node = yaml_node_elements(yaml_node_get(endpoint, "addresses"));

        for (; node; node = node->next)
            check_address(fields, node, type);
    }
}

void validate_endpoints(struct fields *fields, const struct yaml_node *root,
                        const struct object *object)
{
    (void)object;
    const struct yaml_node *subset = yaml_node_elements(yaml_node_get(root, "subsets"));

    for (; subset; subset = subset->next) {
        if (subset->type != YAML_NODE_MAP)
            continue;
        validate_port_names(fields, yaml_node_get(subset, "ports"), PORT_NAMES_LABELS);
        if (!yaml_node_elements(yaml_node_get(subset, "addresses")) &&
            !yaml_node_elements(yaml_node_get(subset, "notReadyAddresses")))
            fields_refuse(fields, subset->position, "missing-field",
                          "a subset needs addresses or notReadyAddresses");
    }
}
