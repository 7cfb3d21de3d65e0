/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of an EndpointSlice and of an Endpoints object. Invalid addresses are dropped, as the
 * mirroring controller does (rule 21): one bad address must not take the others with it.
 */
#include <string.h>

#include "decode.h"
#include "repack.h"
#include "validate.h"

#define SERVICE_NAME_LABEL "kubernetes.io/service-name"
#define SKIP_MIRROR_LABEL "endpointslice.kubernetes.io/skip-mirror"
#define LEADER_ANNOTATION "control-plane.alpha.kubernetes.io/leader"

static void add_address(struct fields *fields, const struct yaml_node *node, const char *text,
                        GArray *addresses)
{
    struct address address;

    if (address_parse(&address, text, strlen(text)))
        g_array_append_val(addresses, address);
    else
        fields_error(fields, node->position, "invalid-address",
                     "an endpoint's address must be an IP address");
}

static void read_common(struct fields *fields, const struct yaml_node *map,
                        struct endpoint *endpoint)
{
    const struct yaml_node *target = fields_map(fields, map, "targetRef");
    const char *kind = fields_string(fields, target, "kind");

    endpoint->hostname = g_strdup(decode_dns_label(fields, map, "hostname"));
    endpoint->target = decode_name(fields, target, "name"); /* of any kind: rule 42 */
    endpoint->is_pod = !kind || strcmp(kind, "Pod") == 0;
}

static struct ports *read_ports(struct fields *fields, const struct yaml_node *map)
{
    g_autoptr(GArray) ports = g_array_new(FALSE, FALSE, sizeof(struct port));

    decode_ports(fields, fields_elements(fields, map, "ports"), "port", false, ports);
    return decode_take_ports(ports);
}

static void take_endpoints(GArray *endpoints, struct endpoint_subset *subset)
{
    subset->n = endpoints->len;
    subset->endpoints = (struct endpoint *)(void *)g_array_free(endpoints, FALSE);
}

/* What is absent or null counts as in kube-proxy. */
static void read_conditions(struct fields *fields, const struct yaml_node *map,
                            struct endpoint *endpoint)
{
    const struct yaml_node *conditions = fields_map(fields, map, "conditions");
    bool serving = fields_bool(fields, conditions, "serving", true);

    endpoint->ready = fields_bool(fields, conditions, "ready", true);
    endpoint->terminating = fields_bool(fields, conditions, "terminating", false) && serving;
}

static void read_slice_endpoints(struct fields *fields, const struct yaml_node *first,
                                 struct endpoint_subset *subset)
{
    const struct yaml_node *map;
    g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(struct address));
    GArray *endpoints = g_array_new(FALSE, FALSE, sizeof(struct endpoint));

    while ((map = fields_next_map(fields, &first, "endpoints"))) {
        const struct yaml_node *node = fields_elements(fields, map, "addresses");
        struct endpoint endpoint = {0};

        g_array_set_size(addresses, 0);
        for (; node; node = node->next) {
            const char *text = fields_text(fields, node, "addresses");

            if (text)
                add_address(fields, node, text, addresses);
        }
        endpoint.addresses = decode_take_addresses(addresses);
        read_conditions(fields, map, &endpoint);
        read_common(fields, map, &endpoint);
        g_array_append_val(endpoints, endpoint);
    }
    take_endpoints(endpoints, subset);
}

static void read_endpoint_slice(struct fields *fields, const struct yaml_node *root,
                                struct object *object)
{
    struct endpoint_slice *slice = (struct endpoint_slice *)object;
    const struct labels *labels = decode_labels(fields, yaml_node_get(root, "metadata"), "labels");
    const char *service = labels_get(labels, SERVICE_NAME_LABEL);
    const char *type = fields_string(fields, root, "addressType");

    if (service && *service)
        slice->service = name_intern(service);
    labels_unref(labels);
    slice->subsets = g_new0(struct endpoint_subset, 1);
    slice->n_subsets = 1;
    slice->subsets[0].ports = read_ports(fields, root);
    /* host names instead of addresses: nothing to resolve to */
    if (!type || strcmp(type, "FQDN") != 0) {
        const struct yaml_node *first;

        decode_whole(fields);
        first = fields_elements(fields, root, "endpoints");
        decode_part(fields);
        read_slice_endpoints(fields, first, &slice->subsets[0]);
    }
}

const struct decoder endpoint_slice_decoder = {.read = read_endpoint_slice,
                                               .validate = validate_slice};

static void read_subset_addresses(struct fields *fields, const struct yaml_node *subset,
                                  const char *key, struct ports *ports, GArray *mentions)
{
    const struct yaml_node *iterator = fields_elements(fields, subset, key), *map;
    g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(struct address));

    while ((map = fields_next_map(fields, &iterator, key))) {
        const char *text = fields_string(fields, map, "ip");
        struct mention mention = {.ports = ports};

        g_array_set_size(addresses, 0);
        if (text)
            add_address(fields, yaml_node_get(map, "ip"), text, addresses);
        if (addresses->len == 0)
            continue;
        mention.endpoint.addresses = decode_take_addresses(addresses);
        mention.endpoint.ready = strcmp(key, "addresses") == 0;
        read_common(fields, map, &mention.endpoint);
        mention.uid = fields_string(fields, fields_map(fields, map, "targetRef"), "uid");
        if (!mention.uid)
            mention.uid = "";
        g_array_append_val(mentions, mention);
    }
}

static bool is_not_mirrored(struct fields *fields, const struct yaml_node *metadata)
{
    const struct labels *labels = decode_labels(fields, metadata, "labels");
    const struct yaml_node *annotations = fields_map(fields, metadata, "annotations");
    bool skip = g_strcmp0(labels_get(labels, SKIP_MIRROR_LABEL), "true") == 0;

    labels_unref(labels);
    return skip || (annotations && yaml_node_get(annotations, LEADER_ANNOTATION));
}

static void read_endpoints(struct fields *fields, const struct yaml_node *root,
                           struct object *object)
{
    struct endpoint_slice *slice = (struct endpoint_slice *)object;
    const struct yaml_node *iterator, *map;
    g_autoptr(GPtrArray) lists =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))ports_unref);
    g_autoptr(GArray) mentions = g_array_new(FALSE, FALSE, sizeof(struct mention));

    decode_whole(fields);
    iterator = fields_elements(fields, root, "subsets");
    decode_part(fields);

    slice->service = name_intern(slice->object.name);
    slice->not_mirrored = is_not_mirrored(fields, yaml_node_get(root, "metadata"));
    while ((map = fields_next_map(fields, &iterator, "subsets"))) {
        struct ports *ports = read_ports(fields, map);

        g_ptr_array_add(lists, ports);
        read_subset_addresses(fields, map, "addresses", ports, mentions);
        read_subset_addresses(fields, map, "notReadyAddresses", ports, mentions);
    }
    repack_subsets(mentions, slice);
}

const struct decoder endpoints_decoder = {
    .read = read_endpoints, .validate = validate_endpoints, .is_referred_to = true};
