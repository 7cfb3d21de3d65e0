/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reports of pods, workloads and namespaces.
 */
#include "report.h"

static const char *phase_name(const struct pod_view *pod)
{
    static const char *const names[] = {
        [POD_PENDING] = "Pending", [POD_RUNNING] = "Running", [POD_SUCCEEDED] = "Succeeded",
        [POD_FAILED] = "Failed",   [POD_UNKNOWN] = "Unknown",
    };

    if (pod->object->kind != OBJECT_POD)
        return NULL;
    return names[((const struct pod *)pod->object)->phase];
}

static void write_pod(void *userdata, const struct pod_view *pod,
                      const struct workload_state *workload)
{
    struct json *json = ((const struct report *)userdata)->json;
    const struct cluster *cluster = ((const struct report *)userdata)->context->cluster;
    g_autofree char *workload_name = workload ? report_workload_name(workload) : NULL;
    g_autofree char *why = cluster_read_why_not_seen(cluster, pod->object, pod->ordinal);

    json_open(json, NULL);
    json_text(json, "kind", "Pod");
    json_text(json, "namespace", pod->object->ns);
    json_text(json, "name", pod->name);
    json_open_list(json, "addresses");
    for (uint32_t i = 0; i < pod->n; i++)
        json_address(json, NULL, &pod->addresses[i]);
    json_close_list(json);
    json_text(json, "origin", pod->n > 0 ? report_origin(pod->origin, pod->seen) : "none");
    json_text(json, "network", pod->seen ? pod->seen->network : NULL);
    json_bool(json, "ready", pod->ready);
    json_text(json, "why", why);
    json_text(json, "phase", phase_name(pod));
    json_labels(json, "labels", pod->spec->labels);
    json_text(json, "hostname", pod->hostname);
    json_text(json, "subdomain", pod->subdomain);
    json_text(json, "workload", workload_name);
    json_position(json, "position", pod->object);
    json_close_line(json);
}

static void write_pods(void *userdata, const struct ns *ns)
{
    const struct report *report = userdata;

    cluster_read_pods(report->context->cluster, ns, write_pod, userdata);
}

enum kubesvc_inspect_result report_pods(const struct report *report)
{
    report_namespaces_each(report, write_pods, (void *)(uintptr_t)report);
    return KUBESVC_INSPECT_DONE;
}

static void write_workload(void *userdata, const struct workload_state *state)
{
    const struct report *report = userdata;
    const struct workload *workload = state->object;
    struct json *json = report->json;
    g_autofree char *fewer = cluster_read_why_fewer(report->context->cluster, state);
    g_autofree char *unseen =
        fewer ? NULL : cluster_read_why_unseen(report->context->cluster, state);

    json_open(json, NULL);
    json_text(json, "kind", object_kind_name(workload->object.kind));
    json_text(json, "namespace", workload->object.ns);
    json_text(json, "name", workload->object.name);
    json_number(json, "replicas", workload_replicas(state));
    json_number(json, "expanded", state->replicas);
    json_text(json, "why", fewer ? fewer : unseen);
    json_labels(json, "selector", workload->selector);
    json_labels(json, "labels", workload->template.labels);
    json_position(json, "position", &workload->object);
    json_close_line(json);
}

static void write_workloads(void *userdata, const struct ns *ns)
{
    cluster_read_workloads(ns, write_workload, userdata);
}

enum kubesvc_inspect_result report_workloads(const struct report *report)
{
    report_namespaces_each(report, write_workloads, (void *)(uintptr_t)report);
    return KUBESVC_INSPECT_DONE;
}

static void count_service(void *userdata, const struct service_state *state)
{
    (void)state;
    (*(unsigned *)userdata)++;
}

static void write_namespace(void *userdata, const struct ns *ns)
{
    const struct report *report = userdata;
    struct json *json = report->json;
    unsigned services = 0;

    cluster_read_services(ns, count_service, &services);
    json_open(json, NULL);
    json_text(json, "kind", "Namespace");
    json_text(json, "name", ns->name);
    json_bool(json, "exposed", cluster_read_is_exposed(report->context->cluster, ns));
    json_number(json, "objects", ns->mentions);
    json_number(json, "services", services);
    json_close_line(json);
}

enum kubesvc_inspect_result report_namespaces(const struct report *report)
{
    cluster_read_namespaces(report->context->cluster, write_namespace, (void *)(uintptr_t)report);
    return KUBESVC_INSPECT_DONE;
}
