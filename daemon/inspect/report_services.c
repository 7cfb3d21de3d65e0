/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reports of Services and of their endpoints.
 */
#include "lib/resolve/dashed.h"
#include "report.h"

void report_service_keys(const struct report *report, const struct service_state *state)
{
    static const char *const types[] = {
        [SERVICE_CLUSTER_IP] = "ClusterIP",
        [SERVICE_NODE_PORT] = "NodePort",
        [SERVICE_LOAD_BALANCER] = "LoadBalancer",
        [SERVICE_EXTERNAL_NAME] = "ExternalName",
    };
    static const char *const origins[] = {
        [SERVICE_ADDRESS_NONE] = "none",
        [SERVICE_ADDRESS_STATED] = "stated",
        [SERVICE_ADDRESS_ALLOCATED] = "allocated",
    };
    const struct cluster *cluster = report->context->cluster;
    const struct service *service = state->object;
    struct json *json = report->json;
    struct service_view view;

    cluster_read_service_open(cluster, state, &view);
    json_text(json, "kind", "Service");
    json_text(json, "namespace", service->object.ns);
    json_text(json, "name", service->object.name);
    json_text(json, "type", types[service->type]);
    json_bool(json, "headless", service->headless);
    json_bool(json, "asHeadless", view.as_headless);
    json_address_array(json, "clusterIPs", view.addresses);
    json_text(json, "origin", origins[view.origin]);
    json_text(json, "externalName", service->external_name);
    json_labels(json, "selector", service->selector);
    json_labels(json, "labels", service->labels);
    json_ports(json, "ports", service->ports);
    json_bool(json, "publishNotReadyAddresses", service->publish_not_ready);
    json_bool(json, "exposed", cluster_read_is_exposed(cluster, state->ns));
    json_number(json, "endpoints", view.n_endpoints);
    json_position(json, "position", &service->object);
    cluster_read_service_close(&view);
}

static void write_service(void *userdata, const struct service_state *state)
{
    const struct report *report = userdata;

    json_open(report->json, NULL);
    report_service_keys(report, state);
    json_close_line(report->json);
}

static void write_services(void *userdata, const struct ns *ns)
{
    cluster_read_services(ns, write_service, userdata);
}

enum kubesvc_inspect_result report_services(const struct report *report)
{
    report_namespaces_each(report, write_services, (void *)(uintptr_t)report);
    return KUBESVC_INSPECT_DONE;
}

static void write_endpoint(void *userdata, const struct endpoint_candidate *candidate)
{
    struct json *json = ((const struct report *)userdata)->json;

    if (candidate->verdict != ENDPOINT_COUNTS)
        return;
    char dashed[DASHED_MAX];
    dashed_format(candidate->address->bytes, dashed);
    json_open(json, NULL);
    json_address(json, "address", candidate->address);
    json_text(json, "label", candidate->label ? candidate->label : dashed);
    json_text(json, "origin", report_origin(candidate->origin, candidate->seen));
    json_text(json, "pod", candidate->pod);
    json_ports(json, "ports", candidate->ports);
    json_close(json);
}

static void write_endpoints(void *userdata, const struct service_state *state)
{
    static const char *const sources[] = {
        [ENDPOINTS_NONE] = "none",     [ENDPOINTS_STATED] = "stated",
        [ENDPOINTS_SLICES] = "slices", [ENDPOINTS_OBJECT] = "endpoints",
        [ENDPOINTS_PODS] = "pods",
    };
    const struct report *report = userdata;
    const struct cluster *cluster = report->context->cluster;
    struct json *json = report->json;
    struct service_view view;

    if (state->object->type == SERVICE_EXTERNAL_NAME) /* rule 62 */
        return;
    cluster_read_service_open(cluster, state, &view);
    json_open(json, NULL);
    json_text(json, "kind", "Endpoints");
    json_text(json, "namespace", state->object->object.ns);
    json_text(json, "name", state->object->object.name);
    json_text(json, "source", sources[view.source]);
    json_open_list(json, "addresses");
    cluster_read_endpoints(cluster, state, write_endpoint, userdata);
    json_close_list(json);
    json_close_line(json);
    cluster_read_service_close(&view);
}

static void write_namespace(void *userdata, const struct ns *ns)
{
    cluster_read_services(ns, write_endpoints, userdata);
}

enum kubesvc_inspect_result report_endpoints(const struct report *report)
{
    report_namespaces_each(report, write_namespace, (void *)(uintptr_t)report);
    return KUBESVC_INSPECT_DONE;
}
