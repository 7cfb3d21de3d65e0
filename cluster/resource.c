/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table. Lists are transparent: what is kept of one is kept of each element.
 */
#include "resource.h"

#include <stddef.h>

/* clang-format off */ /* its releases differ here */
#define END {NULL, NULL}
/* clang-format on */

static const struct keep addresses_only[] = {{"kubesvc.io/addresses", NULL}, END};
static const struct keep port[] = {{"name", NULL}, {"port", NULL}, {"protocol", NULL}, END};

static const struct keep service_metadata[] = {{"name", NULL},
                                               {"namespace", NULL},
                                               {"uid", NULL},
                                               {"labels", NULL},
                                               {"annotations", addresses_only},
                                               END};
static const struct keep service_spec[] = {{"type", NULL},
                                           {"clusterIP", NULL},
                                           {"clusterIPs", NULL},
                                           {"externalName", NULL},
                                           {"publishNotReadyAddresses", NULL},
                                           {"ipFamilies", NULL},
                                           {"ipFamilyPolicy", NULL},
                                           {"selector", NULL},
                                           {"ports", port},
                                           END};
static const struct keep service[] = {{"metadata", service_metadata}, {"spec", service_spec}, END};

static const struct keep slice_labels[] = {{"kubernetes.io/service-name", NULL}, END};
static const struct keep slice_metadata[] = {
    {"name", NULL}, {"namespace", NULL}, {"uid", NULL}, {"labels", slice_labels}, END};
static const struct keep conditions[] = {{"ready", NULL}, END};
static const struct keep target[] = {{"kind", NULL}, {"name", NULL}, END};
static const struct keep endpoint[] = {{"addresses", NULL},
                                       {"conditions", conditions},
                                       {"hostname", NULL},
                                       {"targetRef", target},
                                       END};
static const struct keep slice[] = {{"metadata", slice_metadata},
                                    {"addressType", NULL},
                                    {"endpoints", endpoint},
                                    {"ports", port},
                                    END};

static const struct keep namespace_metadata[] = {{"name", NULL}, {"uid", NULL}, END};
static const struct keep ns[] = {{"metadata", namespace_metadata}, END};

static const struct keep owner[] = {{"apiVersion", NULL}, {"kind", NULL},       {"name", NULL},
                                    {"uid", NULL},        {"controller", NULL}, END};
static const struct keep pod_metadata[] = {{"name", NULL},
                                           {"namespace", NULL},
                                           {"uid", NULL},
                                           {"labels", NULL},
                                           {"annotations", addresses_only},
                                           {"deletionTimestamp", NULL},
                                           {"ownerReferences", owner},
                                           END};
static const struct keep container_port[] = {
    {"name", NULL}, {"containerPort", NULL}, {"protocol", NULL}, END};
static const struct keep container[] = {
    {"name", NULL}, {"image", NULL}, {"restartPolicy", NULL}, {"ports", container_port}, END};
static const struct keep pod_spec[] = {
    {"hostname", NULL},        {"subdomain", NULL},           {"hostNetwork", NULL},
    {"containers", container}, {"initContainers", container}, END};
static const struct keep pod_ip[] = {{"ip", NULL}, END};
static const struct keep pod_condition[] = {{"type", NULL}, {"status", NULL}, END};
static const struct keep pod_status[] = {
    {"phase", NULL}, {"podIP", NULL}, {"podIPs", pod_ip}, {"conditions", pod_condition}, END};
static const struct keep pod[] = {
    {"metadata", pod_metadata}, {"spec", pod_spec}, {"status", pod_status}, END};

const struct resource_type resource_types[N_RESOURCES] = {
    [RESOURCE_SERVICES] = {"services", "", "/api/v1", "v1", "Service", service, true},
    [RESOURCE_SLICES] = {"endpointslices", "discovery.k8s.io", "/apis/discovery.k8s.io/v1",
                         "discovery.k8s.io/v1", "EndpointSlice", slice, true},
    [RESOURCE_NAMESPACES] = {"namespaces", "", "/api/v1", "v1", "Namespace", ns, false},
    [RESOURCE_PODS] = {"pods", "", "/api/v1", "v1", "Pod", pod, true},
};

GString *resource_path(const struct resource_type *type, const char *of_namespace)
{
    GString *path = g_string_new(type->prefix);

    if (of_namespace)
        g_string_append_printf(path, "/namespaces/%s", of_namespace);
    g_string_append_printf(path, "/%s?", type->name);
    return path;
}

void resource_path_query(GString *path, const char *key, const char *value)
{
    g_autofree char *escaped = g_uri_escape_string(value, NULL, FALSE);

    g_string_append_printf(path, "&%s=%s", key, escaped);
}

char *resource_title(const struct resource_type *type, const char *of_namespace)
{
    return g_strdup_printf("%s%s%s%s%s", type->name, *type->group ? "." : "", type->group,
                           of_namespace ? " in namespace " : "", of_namespace ? of_namespace : "");
}
