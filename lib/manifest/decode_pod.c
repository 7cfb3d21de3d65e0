/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of a Pod, and those that it shares with the template of a workload.
 */
#include <string.h>

#include "decode.h"
#include "validate.h"

static void read_containers(struct fields *fields, const struct yaml_node *spec, const char *key,
                            bool sidecars_only, GArray *ports)
{
    const struct yaml_node *iterator = fields_elements(fields, spec, key), *map;

    while ((map = fields_next_map(fields, &iterator, key))) {
        const char *policy = sidecars_only ? fields_string(fields, map, "restartPolicy") : "Always";

        if (g_strcmp0(policy, "Always") == 0)
            decode_ports(fields, fields_elements(fields, map, "ports"), "containerPort", true,
                         ports);
    }
}

void decode_pod_spec(struct fields *fields, const struct yaml_node *metadata,
                     const struct yaml_node *spec, struct pod_spec *pod_spec)
{
    g_autoptr(GArray) ports = g_array_new(FALSE, FALSE, sizeof(struct port));

    pod_spec->hostname = name_intern(decode_dns_label(fields, spec, "hostname"));
    pod_spec->subdomain = name_intern(decode_dns_label(fields, spec, "subdomain"));
    pod_spec->labels = decode_labels(fields, metadata, "labels");
    if (!pod_spec->labels)
        pod_spec->labels = labels_new(NULL, 0);
    pod_spec->stated = decode_stated_addresses(fields, metadata);
    pod_spec->host_network = fields_bool(fields, spec, "hostNetwork", false);
    read_containers(fields, spec, "containers", false, ports);
    read_containers(fields, spec, "initContainers", true, ports);
    pod_spec->ports = decode_take_ports(ports);
}

static bool read_ip(struct fields *fields, const struct yaml_node *map, const char *key,
                    struct address *address)
{
    const char *text = fields_string(fields, map, key);

    if (!text)
        return false;
    if (address_parse(address, text, strlen(text)))
        return true;
    fields_error(fields, yaml_node_get(map, key)->position, "invalid-address",
                 "%s must be an IP address", key);
    return false;
}

/* podIPs, else podIP: the API server fills each in from the other. */
static void read_ips(struct fields *fields, const struct yaml_node *status, struct pod *pod)
{
    const struct yaml_node *iterator = fields_elements(fields, status, "podIPs"), *map;
    g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(struct address));
    struct address address;

    bool has_pod_ip = read_ip(fields, status, "podIP", &pod->only);
    while ((map = fields_next_map(fields, &iterator, "podIPs"))) {
        if (read_ip(fields, map, "ip", &address))
            g_array_append_val(addresses, address);
    }
    if (addresses->len == 0 && has_pod_ip)
        g_array_append_val(addresses, pod->only);
    if (addresses->len == 1) {
        pod->only = g_array_index(addresses, struct address, 0);
        pod->addresses = (struct addresses){.items = &pod->only, .n = 1};
    } else {
        pod->addresses = decode_take_addresses(addresses);
    }
}

static bool is_ready(struct fields *fields, const struct yaml_node *status)
{
    const struct yaml_node *iterator = fields_elements(fields, status, "conditions"), *map;
    bool ready = false;

    while ((map = fields_next_map(fields, &iterator, "conditions"))) {
        if (g_strcmp0(fields_string(fields, map, "type"), "Ready") == 0)
            ready = g_strcmp0(fields_string(fields, map, "status"), "True") == 0;
    }
    return ready;
}

/* A status was written by a cluster: an unknown value is not a mistake. */
static enum pod_phase read_phase(struct fields *fields, const struct yaml_node *status)
{
    static const char *const phases[] = {[POD_PENDING] = "Pending",
                                         [POD_RUNNING] = "Running",
                                         [POD_SUCCEEDED] = "Succeeded",
                                         [POD_FAILED] = "Failed"};
    const char *text = fields_string(fields, status, "phase");

    if (!text)
        return POD_PHASE_NONE;
    for (int i = POD_PENDING; i <= POD_FAILED; i++) {
        if (strcmp(phases[i], text) == 0)
            return (enum pod_phase)i;
    }
    return POD_UNKNOWN;
}

static void read_pod(struct fields *fields, const struct yaml_node *root, struct object *object)
{
    struct pod *pod = (struct pod *)object;
    const struct yaml_node *metadata = yaml_node_get(root, "metadata");
    const struct yaml_node *status, *map;
    struct pod_spec spec = {0};

    decode_whole(fields);
    map = fields_map(fields, root, "spec");
    status = fields_map(fields, root, "status");
    pod->has_status = status && status->first;
    pod->ready = is_ready(fields, status);
    read_ips(fields, status, pod);
    decode_part(fields);
    decode_pod_spec(fields, metadata, map, &spec);
    pod->spec = pod_spec_intern(&spec);
    pod->owner = decode_owner(fields, metadata);
    pod->deleting = fields_string(fields, metadata, "deletionTimestamp") != NULL;
    pod->phase = (uint8_t)read_phase(fields, status);
}

const struct decoder pod_decoder = {.read = read_pod, .validate = validate_pod};
