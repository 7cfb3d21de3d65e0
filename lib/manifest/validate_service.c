/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules of the API server for a Service: its validation at creation, and the defaulting of families
 * and cluster IPs before that.
 */
#include <string.h>

#include "lib/util/address.h"
#include "lib/yaml/scalar.h"
#include "schema.h"
#include "validate.h"

static gint64 port_key(const struct yaml_node *port)
{
    const struct yaml_node *number = yaml_node_get(port, "port");
    const char *protocol = decode_peek(port, "protocol");
    struct scalar scalar;

    if (!number || number->type != YAML_NODE_SCALAR)
        return -1;
    scalar = scalar_read(number);
    if (scalar.type != SCALAR_INTEGER || scalar.integer < 1 || scalar.integer > 65535)
        return -1;
    return scalar.integer * 256 + (protocol ? protocol[0] : 'T');
}

static void check_ports(struct fields *fields, const struct yaml_node *ports)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

    validate_port_names(fields, ports, PORT_NAMES_LABELS);
    for (const struct yaml_node *port = yaml_node_elements(ports); port; port = port->next) {
        gint64 key = port_key(port);

        if (key >= 0 && !g_hash_table_add(seen, g_memdup2(&key, sizeof key)))
            fields_refuse(fields, port->position, "duplicate-port",
                          "duplicate port number and protocol");
    }
}

static void check_external_name(struct fields *fields, const struct yaml_node *spec,
                                const struct service *service)
{
    static const char *const forbidden[] = {"clusterIP", "clusterIPs", "ipFamilies",
                                            "ipFamilyPolicy"};

    for (size_t i = 0; i < G_N_ELEMENTS(forbidden); i++) {
        if (schema_is_there(spec, forbidden[i]))
            fields_refuse(fields, yaml_node_get(spec, forbidden[i])->key_position,
                          "forbidden-field", "a Service of type ExternalName must not have %s",
                          forbidden[i]);
    }
    if (service->external_name && !dns_subdomain_is_valid(service->external_name))
        fields_refuse(fields, yaml_node_get(spec, "externalName")->position, "external-name",
                      "externalName must be a DNS name ([a-z0-9.-]); otherwise it has no answer");
}

/* clusterIP and the first of clusterIPs must agree. */
static void check_first_address(struct fields *fields, const struct yaml_node *spec)
{
    const struct yaml_node *list = yaml_node_get(spec, "clusterIPs");
    const struct yaml_node *first = yaml_node_elements(list);
    const char *single = decode_peek(spec, "clusterIP");

    if (!first || first->type != YAML_NODE_SCALAR)
        return;
    if (!single)
        fields_refuse(fields, list->key_position, "address-mismatch",
                      "clusterIPs requires clusterIP, which must be its first element");
    else if (strcmp(single, first->text) != 0)
        fields_refuse(fields, first->position, "address-mismatch",
                      "the first of clusterIPs must be the same as clusterIP");
    for (const struct yaml_node *node = first; node && first->next; node = node->next) {
        if (node->type == YAML_NODE_SCALAR && strcmp(node->text, "None") == 0) {
            fields_refuse(fields, node->position, "address-mismatch",
                          "None must be the only one of clusterIPs");
            return;
        }
    }
}

static struct position address_position(const struct yaml_node *spec, uint32_t index)
{
    const struct yaml_node *node = yaml_node_elements(yaml_node_get(spec, "clusterIPs"));

    if (!node)
        return validate_position(yaml_node_get(spec, "clusterIP"), spec);
    while (index-- > 0 && node->next)
        node = node->next;
    return node->position;
}

static void check_families(struct fields *fields, const struct yaml_node *spec,
                           const struct service *service)
{
    static const char *const names[] = {[4] = "IPv4", [6] = "IPv6"};
    const struct addresses *addresses = &service->cluster_ips;
    bool dual_by_default = service->headless && !service->selector;
    bool single = service->family_policy == FAMILY_SINGLE ||
                  (service->family_policy == FAMILY_POLICY_NONE && !dual_by_default);

    if (addresses->n > 2)
        fields_refuse(fields, address_position(spec, 0), "wrong-family",
                      "clusterIPs holds more than two addresses");
    else if (addresses->n == 2 &&
             address_family(&addresses->items[0]) == address_family(&addresses->items[1]))
        fields_refuse(fields, address_position(spec, 1), "wrong-family",
                      "clusterIPs holds two addresses of one family");
    for (uint32_t i = 0; i < MIN(addresses->n, service->n_families); i++) {
        if (address_family(&addresses->items[i]) != service->families[i])
            fields_refuse(fields, address_position(spec, i), "wrong-family",
                          "this address is not %s, as ipFamilies requires",
                          names[service->families[i]]);
    }
    if (single && (addresses->n == 2 || service->n_families == 2))
        fields_refuse(
            fields,
            validate_position(
                yaml_node_get(spec, service->n_families == 2 ? "ipFamilies" : "clusterIPs"), spec),
            "family-policy",
            "two families need ipFamilyPolicy PreferDualStack or RequireDualStack");
}

static void check_type(struct fields *fields, const struct yaml_node *spec,
                       const struct service *service)
{
    const char *type = decode_peek(spec, "type"), *balancer;

    if (service->headless && type &&
        (strcmp(type, "NodePort") == 0 || strcmp(type, "LoadBalancer") == 0))
        fields_refuse(fields, address_position(spec, 0), "headless-type",
                      "a Service of type %s cannot have clusterIP None", type);
    balancer = decode_peek(spec, "loadBalancerIP");
    if (balancer && strcmp(balancer, "None") == 0)
        fields_warning(fields, yaml_node_get(spec, "loadBalancerIP")->position, "load-balancer-ip",
                       "loadBalancerIP None has no meaning; a headless Service has clusterIP None");
}

void validate_service(struct fields *fields, const struct yaml_node *root,
                      const struct object *object)
{
    const struct service *service = (const struct service *)object;
    const struct yaml_node *spec = yaml_node_get(root, "spec");

    if (fields->broken)
        return;
    if (spec && spec->type != YAML_NODE_MAP) /* null */
        spec = NULL;
    validate_labels(fields, yaml_node_get(spec, "selector"), "spec.selector");
    check_ports(fields, yaml_node_get(spec, "ports"));
    if (service->type == SERVICE_EXTERNAL_NAME) {
        check_external_name(fields, spec, service);
        return;
    }
    if (!service->headless && !schema_is_there(spec, "ports"))
        fields_refuse(fields, validate_position(spec, root), "no-ports",
                      "spec.ports is missing; a Service needs ports unless it is headless");
    if (!spec)
        return;
    check_first_address(fields, spec);
    check_families(fields, spec, service);
    check_type(fields, spec, service);
}
