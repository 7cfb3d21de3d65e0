/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An object's tree while it exists: positions that later rules point at, and errors visible in the
 * tree itself: removed API versions, misspelt kinds.
 */
#include "lint.h"

#include <string.h>

#include "lib/manifest/decode.h"
#include "lib/util/suggest.h"
#include "lib/yaml/scalar.h"

static const struct yaml_node *child(const struct yaml_node *map, const char *key)
{
    return map && map->type == YAML_NODE_MAP ? yaml_node_get(map, key) : NULL;
}

static const struct yaml_node *first_of(const struct yaml_node *list)
{
    return list && list->type == YAML_NODE_LIST ? list->first : NULL;
}

static struct position value_of(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = child(map, key);
    return node ? node->position : (struct position){0};
}

static struct position key_of(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = child(map, key);
    return node ? node->key_position : (struct position){0};
}

static uint16_t port_number(const struct yaml_node *node)
{
    if (!node || node->type != YAML_NODE_SCALAR)
        return 0;
    struct scalar scalar = scalar_read(node);
    bool fits = scalar.type == SCALAR_INTEGER && scalar.integer > 0 && scalar.integer <= 65535;
    return fits ? (uint16_t)scalar.integer : 0;
}

static void keep_target(struct lint_record *record, const struct yaml_node *port)
{
    const char *name = decode_peek(port, "targetPort"), *protocol = decode_peek(port, "protocol");
    const struct yaml_node *number = child(port, "targetPort");
    struct port_target target = {.name = g_strdup(name), .protocol = PORT_TCP};
    /* 0 means as much as none */
    target.implied = !name && port_number(number) == 0;
    if (target.implied)
        number = child(port, "port");
    if (!name)
        target.number = port_number(number);
    target.position = number ? number->position : port->position;
    if (g_strcmp0(protocol, "UDP") == 0)
        target.protocol = PORT_UDP;
    else if (g_strcmp0(protocol, "SCTP") == 0)
        target.protocol = PORT_SCTP;
    g_array_append_val(record->targets, target);
}

static void keep_service(struct lint_record *record, const struct yaml_node *spec)
{
    record->external_name = value_of(spec, "externalName");
    record->cluster_ip = value_of(spec, child(spec, "clusterIP") ? "clusterIP" : "clusterIPs");
    for (const struct yaml_node *port = first_of(child(spec, "ports")); port; port = port->next)
        keep_target(record, port);
}

static void keep_positions(struct lint_record *record, const struct yaml_node *root)
{
    const struct yaml_node *metadata = child(root, "metadata"), *spec = child(root, "spec");
    const struct yaml_node *pod_spec = spec;
    enum object_kind kind = record->object->kind;
    record->name = value_of(metadata, "name");
    record->ns = kind == OBJECT_NAMESPACE ? record->name : value_of(metadata, "namespace");
    record->selector = key_of(spec, "selector");
    record->service_name = value_of(spec, "serviceName");
    if (kind == OBJECT_SERVICE)
        keep_service(record, spec);
    if (kind == OBJECT_CRON_JOB)
        pod_spec = child(child(spec, "jobTemplate"), "spec");
    if (object_is_workload(record->object))
        pod_spec = child(child(pod_spec, "template"), "spec");
    record->subdomain = value_of(pod_spec, "subdomain");
}

static const struct removed {
    const char *version, *kind, *use, *since;
} removed[] = {
    {"extensions/v1beta1", "Job", "batch/v1", "1.6"},
    {"extensions/v1beta1", NULL, "apps/v1", "1.16"},
    {"apps/v1beta1", NULL, "apps/v1", "1.16"},
    {"apps/v1beta2", NULL, "apps/v1", "1.16"},
    {"batch/v2alpha1", NULL, "batch/v1", "1.21"},
    {"batch/v1beta1", NULL, "batch/v1", "1.25"},
    {"discovery.k8s.io/v1beta1", NULL, "discovery.k8s.io/v1", "1.25"},
};

static void check_version(struct lint_record *record, const struct yaml_node *root)
{
    const char *version = decode_peek(root, "apiVersion");
    const char *kind = object_kind_name(record->object->kind);
    for (size_t i = 0; version && i < G_N_ELEMENTS(removed); i++) {
        if (strcmp(removed[i].version, version) != 0 ||
            (removed[i].kind && strcmp(removed[i].kind, kind) != 0))
            continue;
        lint_record_warn(record, "removed-version", value_of(root, "apiVersion"),
                         "Kubernetes removed apiVersion %s in %s: use %s", version,
                         removed[i].since, removed[i].use);
        return;
    }
}

static void check_slice(struct lint_record *record, const struct yaml_node *root)
{
    if (g_strcmp0(decode_peek(root, "addressType"), "FQDN") == 0)
        lint_record_warn(
            record, "fqdn-slice", value_of(root, "addressType"),
            "Kubernetes does not define addressType FQDN: the slice publishes nothing");
}

void lint_tree(struct lint_record *record, const struct yaml_node *root)
{
    keep_positions(record, root);
    check_version(record, root);
    if (record->object->kind == OBJECT_ENDPOINT_SLICE)
        check_slice(record, root);
    lint_fields(record, root);
}

/* All kinds that are read, and the current apiVersion of each. */
struct vocabulary {
    const char *kinds[OBJECT_KINDS], *versions[OBJECT_KINDS]; /* NULL-terminated */
};

static struct vocabulary vocabulary_make(void)
{
    struct vocabulary vocabulary = {0};
    for (size_t kind = OBJECT_MENTION + 1, n = 0; kind < OBJECT_KINDS; kind++) {
        vocabulary.kinds[kind - OBJECT_MENTION - 1] = object_kinds[kind].name;
        if (!g_strv_contains(vocabulary.versions, object_kinds[kind].versions[0]))
            vocabulary.versions[n++] = object_kinds[kind].versions[0];
    }
    return vocabulary;
}

struct diagnostic *lint_foreign_tree(const struct yaml_node *root)
{
    const char *version = decode_peek(root, "apiVersion"), *kind = decode_peek(root, "kind");
    if (!version || !kind)
        return NULL;
    const struct vocabulary known = vocabulary_make();
    bool known_kind = g_strv_contains(known.kinds, kind);
    bool known_version = g_strv_contains(known.versions, version);
    const char *meant = known_kind && !known_version ? suggest_word(version, known.versions, 2)
                        : known_version && !known_kind && strlen(kind) > 3
                            ? suggest_word(kind, known.kinds, strlen(kind) > 5 ? 2 : 1)
                            : NULL;
    if (!meant)
        return NULL;
    struct position position = value_of(root, known_kind ? "apiVersion" : "kind");
    return diagnostic_new(
        DIAGNOSTIC_WARNING, position.line, position.column, "unknown-kind", NULL,
        known_kind ? "unknown apiVersion %1$s of a %2$s; did you mean %3$s? Object ignored"
                   : "unknown kind %2$s in apiVersion %1$s; did you mean %3$s? Object ignored",
        version, kind, meant);
}
