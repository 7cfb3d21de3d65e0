/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report of everything that resolves forward. The model says which names there may be, the
 * resolver what each of them answers.
 */
#include <string.h>

#include "report.h"

#include "lib/resolve/dashed.h"

struct names_walk {
    const struct report *report;
    struct snapshot_view view;
    const struct service_state *service; /* whose endpoints are being walked */
    const struct ns *ns;
    GHashTable *seen; /* labels of one Service, or of the pods of one namespace */
};

static uint32_t found(const struct resolver_answer *answer)
{
    return answer->outcome == RESOLVER_FOUND ? answer->n_addresses : 0;
}

static void write_name(const struct names_walk *walk, const char *name, const char *kind,
                       const char *target)
{
    struct json *json = walk->report->json;
    struct resolver_answer inet, inet6;
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct resolver_names names = RESOLVER_NAMES(storage);

    resolver_name(&walk->view, NULL, name, strlen(name), &inet, &inet6, &names);
    if (found(&inet) == 0 && found(&inet6) == 0 && inet.outcome != RESOLVER_EXTERNAL)
        return;
    json_open(json, NULL);
    json_text(json, "name", name);
    json_addresses(json, "inet", inet.addresses, found(&inet), 4);
    json_addresses(json, "inet6", inet6.addresses, found(&inet6), 16);
    json_text(json, "kind", kind);
    json_text(json, "target", target);
    json_close_line(json);
}

static void write_endpoint(void *userdata, const struct endpoint_candidate *candidate)
{
    const struct names_walk *walk = userdata;
    const struct object *service = &walk->service->object->object;
    char dashed[DASHED_MAX];

    if (candidate->verdict != ENDPOINT_COUNTS)
        return;
    dashed_format(candidate->address->bytes, dashed);
    g_autofree char *label = g_ascii_strdown(candidate->label ? candidate->label : dashed, -1);
    g_autofree char *name = report_name(walk->report, label, service->name, service->ns, "svc");
    if (g_hash_table_add(walk->seen, g_steal_pointer(&label)))
        write_name(walk, name, "Endpoint", NULL);
}

static void write_service(void *userdata, const struct service_state *state)
{
    struct names_walk *walk = userdata;
    const struct service *service = state->object;
    bool external = service->type == SERVICE_EXTERNAL_NAME;
    g_autofree char *name =
        report_name(walk->report, NULL, service->object.name, service->object.ns, "svc");

    write_name(walk, name, external ? "ExternalName" : "Service",
               external ? service->external_name : NULL);
    walk->service = state;
    g_hash_table_remove_all(walk->seen);
    cluster_read_endpoints(walk->report->context->cluster, state, write_endpoint, walk);
}

static void write_pod_name(const struct names_walk *walk, const struct address *address)
{
    char dashed[DASHED_MAX];

    dashed_format(address->bytes, dashed);
    if (!g_hash_table_add(walk->seen, g_strdup(dashed)))
        return;
    g_autofree char *name = report_name(walk->report, NULL, dashed, walk->ns->name, "pod");
    write_name(walk, name, "Pod", NULL);
}

static void write_pod(void *userdata, const struct pod_view *pod,
                      const struct workload_state *workload)
{
    (void)workload;
    for (uint32_t i = 0; pod->named && i < pod->n; i++)
        write_pod_name(userdata, &pod->addresses[i]);
}

static void write_namespace(void *userdata, const struct ns *ns)
{
    struct names_walk *walk = userdata;
    const struct inspect_context *context = walk->report->context;

    if (!cluster_read_is_exposed(context->cluster, ns))
        return;
    cluster_read_services(ns, write_service, walk);
    if (context->config->pods != KUBESVC_PODS_VERIFIED)
        return;
    walk->ns = ns;
    g_hash_table_remove_all(walk->seen);
    cluster_read_pods(context->cluster, ns, write_pod, walk);
}

enum kubesvc_inspect_result report_names(const struct report *report)
{
    struct names_walk walk = {.report = report};

    if (!snapshot_writer_view(report->context->writer, &walk.view))
        return KUBESVC_INSPECT_DONE;
    walk.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    report_namespaces_each(report, write_namespace, &walk);
    g_hash_table_unref(walk.seen);
    return KUBESVC_INSPECT_DONE;
}
