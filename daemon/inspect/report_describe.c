/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report of one Service with everything it consists of.
 */
#include "report.h"

#include "backends.h"
#include "lib/resolve/dashed.h"

struct describe_walk {
    const struct report *report;
    const struct service *service;
    GHashTable *seen; /* names, or objects by their address */
};

/* `below`: NULL for the Service's own. */
static void put_name(const struct describe_walk *walk, const char *below)
{
    const struct object *service = &walk->service->object;
    char *name = report_name(walk->report, below, service->name, service->ns, "svc");

    if (g_hash_table_add(walk->seen, name))
        json_text(walk->report->json, NULL, name);
}

static void put_endpoint_name(void *userdata, const struct endpoint_candidate *candidate)
{
    const struct describe_walk *walk = userdata;
    char dashed[DASHED_MAX];

    if (candidate->verdict != ENDPOINT_COUNTS)
        return;
    dashed_format(candidate->address->bytes, dashed);
    g_autofree char *label = g_ascii_strdown(candidate->label ? candidate->label : dashed, -1);
    put_name(walk, label);
}

static void put_endpoint(void *userdata, const struct endpoint_candidate *candidate)
{
    const struct describe_walk *walk = userdata;
    struct json *json = walk->report->json;
    char dashed[DASHED_MAX];
    g_autofree char *why = cluster_read_why_left_out(walk->report->context->cluster, candidate);

    json_open(json, NULL);
    if (candidate->address) {
        dashed_format(candidate->address->bytes, dashed);
        json_address(json, "address", candidate->address);
        json_text(json, "label", candidate->label ? candidate->label : dashed);
        json_text(json, "origin", report_origin(candidate->origin, candidate->seen));
    }
    json_bool(json, "ready", candidate->ready);
    json_text(json, "pod", candidate->pod);
    json_text(json, "why", why);
    json_position(json, "position", candidate->object);
    json_close(json);
}

static void put_source(struct json *json, const struct object *object)
{
    json_open(json, NULL);
    json_text(json, "kind", object_kind_name(object->kind));
    json_text(json, "name", object->name);
    json_place(json, object);
    json_close(json);
}

static void put_source_of(void *userdata, const struct endpoint_candidate *candidate)
{
    const struct describe_walk *walk = userdata;

    if (candidate->object != &walk->service->object &&
        g_hash_table_add(walk->seen, (void *)(uintptr_t)candidate->object))
        put_source(walk->report->json, candidate->object);
}

static void put_slice(void *userdata, const struct object *object)
{
    const struct describe_walk *walk = userdata;

    if (g_hash_table_add(walk->seen, (void *)(uintptr_t)object))
        put_source(walk->report->json, object);
}

/* What is behind the cluster IP. */
static void put_forwarding(const struct report *report, const struct service_state *state)
{
    struct service_view view;

    cluster_read_service_open(report->context->cluster, state, &view);
    if (view.addresses->len > 0) {
        json_bool(report->json, "forwarded", backends_is_forwarded(report->context, state, &view));
        json_text(report->json, "forwarder", report_forwarder(report));
        if (view.n_terminating > 0)
            json_number(report->json, "terminating", view.n_terminating);
    }
    cluster_read_service_close(&view);
}

static void put_service(const struct report *report, const struct service_state *state)
{
    const struct cluster *cluster = report->context->cluster;
    const struct object *object = &state->object->object;
    struct json *json = report->json;
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) objects = g_hash_table_new(NULL, NULL);
    struct describe_walk naming = {report, state->object, names};
    struct describe_walk sources = {report, state->object, objects};

    json_open(json, NULL);
    report_service_keys(report, state);
    put_forwarding(report, state);
    json_open_list(json, "names");
    if (cluster_read_is_exposed(cluster, state->ns)) {
        put_name(&naming, NULL);
        cluster_read_endpoints(cluster, state, put_endpoint_name, &naming);
    }
    json_close_list(json);
    json_open_list(json, "endpointList");
    cluster_read_endpoints(cluster, state, put_endpoint, &naming);
    json_close_list(json);
    json_open_list(json, "sources");
    cluster_read_endpoints(cluster, state, put_source_of, &sources);
    cluster_read_slices(state, put_slice, &sources);
    json_close_list(json);
    json_shadowed(json, object);
    json_close_line(json);
}

enum kubesvc_inspect_result report_describe(const struct report *report)
{
    const char *name = args_get(&report->job->args, 1);
    const struct ns *ns = report_namespace(report, *name ? name : report->context->config->ns);
    const struct service_state *state =
        ns ? cluster_read_service(ns, args_get(&report->job->args, 2)) : NULL;

    if (!state)
        return KUBESVC_INSPECT_NOT_FOUND;
    put_service(report, state);
    return KUBESVC_INSPECT_DONE;
}
