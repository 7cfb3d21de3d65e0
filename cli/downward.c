/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Labels and annotations are those of the template, and what controllers add to them. A uid that
 * no manifest states is made of the pod's name, so that it stays the same.
 */
#include "downward.h"

#include <math.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "quantity.h"

#define JOB_INDEX "batch.kubernetes.io/job-completion-index"

static char *first_of(const char *addresses)
{
    return g_strndup(addresses, strcspn(addresses, ","));
}

/* In the form of a UUID of version 5. */
static char *make_uid(const struct pod_facts *facts)
{
    g_autofree char *whole = g_strdup_printf("%s/%s", facts->ns, facts->name);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA1, whole, -1);
    return g_strdup_printf("%.8s-%.4s-5%.3s-8%.3s-%.12s", sum, sum + 8, sum + 13, sum + 17,
                           sum + 20);
}

static char *string_or(struct fields *fields, const struct yaml_node *map, const char *key,
                       const char *fallback)
{
    const char *text = fields_string(fields, map, key);
    return g_strdup(text ? text : fallback);
}

/* The number that the controller of this kind gives the pod. */
static const char *index_of(const struct pod_facts *facts, const char *kind)
{
    const char *dash = strrchr(facts->name, '-');
    return dash && facts->workload && g_str_has_prefix(facts->workload, kind) ? dash + 1 : NULL;
}

const char *downward_job_index(const struct pod_manifest *manifest, const struct pod_facts *facts)
{
    return manifest->indexed ? index_of(facts, "Job/") : NULL;
}

/* The label that a controller adds to those of the template; NULL: another one. */
static const char *added_label(const struct pod_manifest *manifest, const char *key,
                               const struct pod_facts *facts)
{
    const char *number = index_of(facts, "StatefulSet/");
    if (number && strcmp(key, "statefulset.kubernetes.io/pod-name") == 0)
        return facts->name;
    if (number && strcmp(key, "apps.kubernetes.io/pod-index") == 0)
        return number;
    if (strcmp(key, JOB_INDEX) == 0)
        return downward_job_index(manifest, facts);
    bool job_name =
        strcmp(key, "job-name") == 0 || strcmp(key, "batch.kubernetes.io/job-name") == 0;
    return job_name && index_of(facts, "Job/") ? facts->workload + strlen("Job/") : NULL;
}

static char *label(struct pod_manifest *manifest, const char *key, const struct pod_facts *facts)
{
    const char *added = added_label(manifest, key, facts);
    if (added)
        return g_strdup(added);
    return string_or(&manifest->fields, fields_map(&manifest->fields, manifest->metadata, "labels"),
                     key, "");
}

/* "metadata.labels['key']": the key, NULL if the path is not of this form. */
static char *subscript(const char *path, const char *map)
{
    size_t length = strlen(map), whole = strlen(path);
    if (strncmp(path, map, length) != 0 || !g_str_has_prefix(path + length, "['") ||
        !g_str_has_suffix(path, "']") || whole < length + 4)
        return NULL;
    return g_strndup(path + length + 2, whole - length - 4);
}

static char *mapped(struct pod_manifest *manifest, const char *path, const struct pod_facts *facts)
{
    struct fields *fields = &manifest->fields;
    g_autofree char *label_key = subscript(path, "metadata.labels");
    g_autofree char *annotation_key = subscript(path, "metadata.annotations");
    if (label_key)
        return label(manifest, label_key, facts);
    if (annotation_key && strcmp(annotation_key, JOB_INDEX) == 0 &&
        downward_job_index(manifest, facts))
        return g_strdup(downward_job_index(manifest, facts));
    if (annotation_key)
        return string_or(fields, fields_map(fields, manifest->metadata, "annotations"),
                         annotation_key, "");
    return NULL;
}

static char *plain(struct pod_manifest *manifest, const char *path, const struct pod_facts *facts)
{
    struct fields *fields = &manifest->fields;
    if (strcmp(path, "metadata.name") == 0)
        return g_strdup(facts->name);
    if (strcmp(path, "metadata.namespace") == 0)
        return g_strdup(facts->ns);
    if (strcmp(path, "metadata.uid") == 0) {
        g_autofree char *made = make_uid(facts);
        return string_or(fields, manifest->metadata, "uid", made);
    }
    if (strcmp(path, "spec.nodeName") == 0)
        return string_or(fields, manifest->spec, "nodeName", facts->node_name);
    if (strcmp(path, "spec.serviceAccountName") == 0)
        return string_or(fields, manifest->spec, "serviceAccountName", "default");
    if (strcmp(path, "status.podIP") == 0)
        return first_of(facts->addresses);
    if (strcmp(path, "status.podIPs") == 0)
        return g_strdup(facts->addresses);
    if (strcmp(path, "status.hostIP") == 0)
        return first_of(facts->node_addresses);
    if (strcmp(path, "status.hostIPs") == 0)
        return g_strdup(facts->node_addresses);
    return NULL;
}

char *downward_field(struct pod_manifest *manifest, const struct yaml_node *reference,
                     const struct pod_facts *facts)
{
    struct fields *fields = &manifest->fields;
    const char *path = fields_string(fields, reference, "fieldPath");
    if (!path)
        return NULL;
    char *value = plain(manifest, path, facts);
    if (!value)
        value = mapped(manifest, path, facts);
    if (!value)
        fields_warning(fields, reference->position, "no-field",
                       "%s is not a field that variables can refer to; the variable is left out",
                       path);
    return value;
}

/* --- Resources -------------------------------------------------------------------------------- */

static bool read_quantity(const struct yaml_node *map, const char *key, double *value)
{
    const struct yaml_node *node =
        map && map->type == YAML_NODE_MAP ? yaml_node_get(map, key) : NULL;
    return node && node->type == YAML_NODE_SCALAR && quantity_parse(node->text, value);
}

/* The host's resources, the limit of what a node could allot. */
static double host_amount(const char *resource)
{
    if (strcmp(resource, "cpu") == 0)
        return (double)sysconf(_SC_NPROCESSORS_ONLN);
    if (strcmp(resource, "memory") == 0)
        return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    struct statvfs disk;
    if (strcmp(resource, "ephemeral-storage") == 0 && statvfs("/", &disk) == 0)
        return (double)disk.f_blocks * (double)disk.f_frsize;
    return 0;
}

/* A request that is not stated is the limit. */
static double amount_of(struct fields *fields, const struct yaml_node *container, const char *kind,
                        const char *resource)
{
    const struct yaml_node *resources = fields_map(fields, container, "resources");
    const struct yaml_node *limits = fields_map(fields, resources, "limits");
    const struct yaml_node *requests = fields_map(fields, resources, "requests");
    bool request = strcmp(kind, "requests") == 0;
    double value;
    if (request && read_quantity(requests, resource, &value))
        return value;
    if (read_quantity(limits, resource, &value))
        return value;
    return request ? 0 : host_amount(resource);
}

char *downward_resource(struct pod_manifest *manifest, const struct yaml_node *reference,
                        const struct yaml_node *container)
{
    struct fields *fields = &manifest->fields;
    const char *path = fields_string(fields, reference, "resource");
    const char *other = fields_string(fields, reference, "containerName");
    double divisor = 0;
    if (!path)
        return NULL;
    if (other)
        container = pod_manifest_container(manifest, other);
    g_auto(GStrv) parts = g_strsplit(path, ".", 2);
    bool known = g_strv_length(parts) == 2 &&
                 (strcmp(parts[0], "limits") == 0 || strcmp(parts[0], "requests") == 0);
    if (!known || !container) {
        fields_warning(fields, reference->position, "no-field",
                       "%s is not a resource of the container; the variable is left out", path);
        return NULL;
    }
    if (!read_quantity(reference, "divisor", &divisor) || divisor <= 0)
        divisor = 1;
    /* 300m with a divisor of 1m are 300, regardless of binary fractions; nothing is 0, not -0 */
    double n = ceil(amount_of(fields, container, parts[0], parts[1]) / divisor - 1e-9);
    return g_strdup_printf("%.0f", n > 0 ? n : 0);
}
