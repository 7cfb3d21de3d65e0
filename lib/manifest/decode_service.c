/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of a Service.
 */
#include <string.h>

#include "decode.h"
#include "lib/yaml/scalar.h"
#include "validate.h"

#define AFFINITY_DEFAULT 10800
#define AFFINITY_MAX 86400

/* "None", or addresses. Returns false for anything else. */
static bool read_cluster_ip(struct fields *fields, const struct yaml_node *node, const char *key,
                            GArray *addresses, bool *none)
{
    const char *text = fields_text(fields, node, key);
    struct address address;

    if (!text)
        return false;
    if (*text == '\0')
        return true;
    if (strcmp(text, "None") == 0) {
        *none = true;
        return true;
    }
    if (address_parse(&address, text, strlen(text))) {
        g_array_append_val(addresses, address);
        return true;
    }
    fields_error(fields, node->position, "invalid-address", "%s must be an IP address or None",
                 key);
    return false;
}

/* clusterIPs if it holds any, else clusterIP; the first entry says whether it is None (rule 1). */
static void read_cluster_ips(struct fields *fields, const struct yaml_node *spec,
                             struct service *service)
{
    const struct yaml_node *node = fields_elements(fields, spec, "clusterIPs");
    const struct yaml_node *single = fields_get(fields, spec, "clusterIP");
    g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(struct address));
    bool first_none = false, none = false;

    for (; node; node = node->next) {
        if (!read_cluster_ip(fields, node, "clusterIPs", addresses, &none))
            return;
        first_none |= none && addresses->len == 0;
    }
    if (single && !none && addresses->len == 0) {
        if (!read_cluster_ip(fields, single, "clusterIP", addresses, &first_none))
            return;
    }
    service->headless = first_none;
    if (!first_none)
        service->cluster_ips = decode_take_addresses(addresses);
}

static void add_family(struct fields *fields, struct position position, const char *text,
                       struct service *service)
{
    uint8_t family = 0;

    if (text && strcmp(text, "IPv4") == 0)
        family = 4;
    else if (text && strcmp(text, "IPv6") == 0)
        family = 6;
    if (family == 0 || service->n_families == G_N_ELEMENTS(service->families) ||
        (service->n_families == 1 && service->families[0] == family))
        fields_error(fields, position, "bad-value",
                     "ipFamilies must be IPv4, IPv6 or both, each once");
    else
        service->families[service->n_families++] = family;
}

static void read_families(struct fields *fields, const struct yaml_node *spec,
                          struct service *service)
{
    static const char *const policies[] = {"", "SingleStack", "PreferDualStack", "RequireDualStack",
                                           NULL};
    const struct yaml_node *list = fields_list(fields, spec, "ipFamilies");
    const struct yaml_node *old = fields_get(fields, spec, "ipFamily"); /* before 1.20 */

    const struct yaml_node *node = yaml_node_elements(list);

    for (; node; node = node->next)
        add_family(fields, node->position, fields_text(fields, node, "ipFamilies"), service);
    if (!list && old)
        add_family(fields, old->position, fields_text(fields, old, "ipFamily"), service);
    service->family_policy = (enum ip_family_policy)decode_choice(fields, spec, "ipFamilyPolicy",
                                                                  policies, FAMILY_POLICY_NONE);
}

static void read_external_name(struct fields *fields, const struct yaml_node *spec,
                               struct service *service)
{
    const char *text = fields_string(fields, spec, "externalName");
    size_t length = text ? strlen(text) : 0;

    if (service->type != SERVICE_EXTERNAL_NAME)
        return;
    if (length > 0 && text[length - 1] == '.')
        length--;
    if (length == 0 || length > 253) {
        fields_error(fields, spec->position, "bad-value",
                     "a Service of type ExternalName needs a name in externalName");
        return;
    }
    service->external_name = g_strndup(text, length);
}

/* Errors in it affect no name, and are left to the schema. */
static uint32_t read_affinity(const struct yaml_node *spec)
{
    const char *kind = decode_peek(spec, "sessionAffinity");
    const struct yaml_node *node = yaml_node_get(spec, "sessionAffinityConfig");
    struct scalar seconds;

    if (g_strcmp0(kind, "ClientIP") != 0)
        return 0;
    node = yaml_node_get(yaml_node_get(node, "clientIP"), "timeoutSeconds");
    if (!node || node->type != YAML_NODE_SCALAR)
        return AFFINITY_DEFAULT;
    seconds = scalar_read(node);
    if (seconds.type != SCALAR_INTEGER || seconds.integer < 1 || seconds.integer > AFFINITY_MAX)
        return AFFINITY_DEFAULT;
    return (uint32_t)seconds.integer;
}

static void read_service(struct fields *fields, const struct yaml_node *root, struct object *object)
{
    struct service *service = (struct service *)object;
    static const char *const types[] = {
        [SERVICE_CLUSTER_IP] = "ClusterIP",
        [SERVICE_NODE_PORT] = "NodePort",
        [SERVICE_LOAD_BALANCER] = "LoadBalancer",
        [SERVICE_EXTERNAL_NAME] = "ExternalName",
        NULL,
    };
    const struct yaml_node *metadata = yaml_node_get(root, "metadata"), *spec;
    g_autoptr(GArray) ports = g_array_new(FALSE, FALSE, sizeof(struct port));

    service->stated = decode_stated_addresses(fields, metadata);
    service->labels = decode_own_labels(fields, metadata);
    decode_whole(fields);
    spec = fields_map(fields, root, "spec");
    service->type = (enum service_type)decode_choice(fields, spec, "type", types, 0);
    service->selector = decode_labels(fields, spec, "selector");
    read_cluster_ips(fields, spec, service);
    if (spec)
        read_external_name(fields, spec, service);
    decode_part(fields);
    service->publish_not_ready = fields_bool(fields, spec, "publishNotReadyAddresses", false);
    service->affinity = read_affinity(spec);
    read_families(fields, spec, service);
    decode_ports(fields, fields_elements(fields, spec, "ports"), "port", true, ports);
    service->ports = decode_take_ports(ports);
}

const struct decoder service_decoder = {
    .read = read_service, .validate = validate_service, .is_label = true, .is_referred_to = true};
