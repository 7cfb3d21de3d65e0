/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report of the daemon itself: what it reads, what is wrong, what it serves.
 */
#include <string.h>

#include "backends.h"
#include "copies.h"
#include "passed_over.h"
#include "report.h"
#include "seen_pods.h"

#define NOTES_MAX 20u

static void put_directory(void *userdata, const struct loader_directory_status *status)
{
    struct json *json = userdata;

    json_open(json, NULL);
    json_text(json, "path", status->path);
    json_text(json, "zone", status->zone);
    json_number(json, "files", status->n_files);
    json_number(json, "objects", status->n_objects);
    json_text(json, "watch", status->missing ? "missing" : status->polled ? "polling" : "inotify");
    json_close(json);
}

static void put_copy(struct json *json, const struct copy *copy)
{
    json_open(json, NULL);
    json_text(json, "cluster", copy->cluster);
    json_text(json, "directory", copy->directory);
    json_text(json, "server", copy->server);
    json_text(json, "state", copy->state);
    json_bool(json, "running", copy->running);
    json_bool(json, "fresh", copy->fresh);
    json_text(json, "since", copy->since);
    json_text(json, "contact", copy->contact);
    json_number(json, "ageSeconds", copy->age);
    json_text(json, "problem", copy->problem);
    json_number(json, "services", copy->services);
    json_number(json, "endpointSlices", copy->slices);
    json_close(json);
}

static void put_errors(void *userdata, const struct loader_file_status *status)
{
    struct json *json = userdata;

    for (guint i = 0; status->diagnostics && i < status->diagnostics->len; i++) {
        const struct diagnostic *diagnostic = status->diagnostics->pdata[i];

        json_open(json, NULL);
        json_diagnostic(json, status->path, diagnostic);
        json_time(json, "since", status->stale ? status->stale_since : 0);
        json_bool(json, "stale", status->stale);
        json_close(json);
    }
}

/* Errors in a runtime's files are listed with the other errors. */
static void put_runtime_error(void *userdata, const struct runtime_status *status)
{
    struct json *json = userdata;

    if (!status->problem)
        return;
    json_open(json, NULL);
    json_text(json, "file", status->directory);
    json_text(json, "severity", status->failed ? "error" : "warning");
    json_text(json, "message", status->problem);
    json_text(json, "rule", "runtime");
    json_bool(json, "stale", false);
    json_close(json);
}

static void put_runtime(void *userdata, const struct runtime_status *status)
{
    const struct report *report = userdata;
    struct json *json = report->json;

    if (!status->watch)
        return;
    struct seen_pods seen = seen_pods_of_source(report->context->cluster, status->source);
    json_open(json, NULL);
    json_text(json, "runtime", status->name);
    json_text(json, "directory", status->directory);
    json_text(json, "watch", status->watch);
    json_number(json, "files", status->n_files);
    if (strcmp(status->name, "quadlet") != 0) {
        json_number(json, "seen", seen.n);
        json_number(json, "taken", seen.n_taken);
    }
    json_close(json);
}

static void count_file(void *userdata, const struct loader_file_status *status)
{
    (void)status;
    (*(unsigned *)userdata)++;
}

/* What is the same everywhere, as a namespace of two clusters is, loses nothing. */
static void put_conflict(void *userdata, const struct object *object)
{
    struct json *json = userdata;
    g_autofree char *name = object_describe(object);

    for (const struct object *shadowed = object->shadowed; shadowed;
         shadowed = shadowed->shadowed) {
        if (object_equal(object, shadowed))
            continue;
        json_open(json, NULL);
        json_text(json, "object", name);
        json_position(json, "inForce", object);
        json_position(json, "shadowed", shadowed);
        json_close(json);
    }
}

struct notes {
    const struct report *report;
    unsigned n;
};

static void note_service(void *userdata, const struct service_state *state)
{
    struct notes *notes = userdata;
    const struct service *service = state->object;
    struct service_view view;

    /* Most need no look at their endpoints. */
    if (service->headless || service->cluster_ips.n > 0 || state->leased[0] || state->leased[1])
        return;
    cluster_read_service_open(notes->report->context->cluster, state, &view);
    if (view.as_headless && notes->n++ < NOTES_MAX) {
        g_autofree char *name = object_describe(&state->object->object);

        json_format(notes->report->json, NULL,
                    "%s states no cluster IP and is answered by its %u stated endpoint%s: an "
                    "allocated cluster IP in front of them would not be reachable",
                    name, view.n_endpoints, view.n_endpoints == 1 ? "" : "s");
    }
    cluster_read_service_close(&view);
}

static void note_namespace(void *userdata, const struct ns *ns)
{
    cluster_read_services(ns, note_service, userdata);
}

static void note_ignored(void *userdata, const struct sighting *sighting)
{
    struct notes *notes = userdata;
    const struct cluster *cluster = notes->report->context->cluster;

    if (notes->n >= NOTES_MAX)
        return;
    g_autofree char *why = cluster_read_why_ignored(cluster, sighting);
    if (!why)
        return;
    notes->n++;
    json_format(notes->report->json, NULL, "%s; ignored", why);
}

static void note_range(const struct report *report, enum lease_use use, const char *option,
                       const char *objects)
{
    struct lease_view leases = cluster_read_leases(report->context->cluster, use);

    if (leases.refused > 0)
        json_format(report->json, NULL,
                    "%s is full: %" G_GUINT64_FORMAT " %s have no address; widen it", option,
                    leases.refused, objects);
}

static void note_over_limit(const struct report *report, unsigned n, const struct object *one,
                            const char *what)
{
    if (n == 0 || !one)
        return;
    g_autofree char *name = object_describe(one);
    g_autofree char *others = n > 1 ? g_strdup_printf(" and %u more", n - 1) : g_strdup("");
    json_format(report->json, NULL, "%s%s: %s", name, others, what);
}

/* Limits exceeded by a few lines of manifest. */
static void note_over_limits(const struct report *report)
{
    struct over_limit_view over_limit = cluster_read_over_limit(report->context->cluster);

    note_over_limit(report, over_limit.n_workloads, over_limit.workload,
                    "no additional replicas, because all workloads together have too many");
    note_over_limit(report, over_limit.n_services, over_limit.service,
                    "no endpoints, because all Services together have too many");
}

static void note_unforwarded(const struct report *report)
{
    const char *id;
    unsigned n = backends_over_limit(report->context->backends, &id);

    if (n == 0)
        return;
    g_autofree char *others = n > 1 ? g_strdup_printf(" and %u more", n - 1) : g_strdup("");
    json_format(report->json, NULL,
                "Service %s%s: not forwarded, because all Services together have too many ports "
                "and endpoints of them",
                id, others);
}

static void put_notes(const struct report *report)
{
    struct notes notes = {report, 0}, ignored = {report, 0};

    json_open_list(report->json, "notes");
    note_range(report, LEASE_POD, "podCIDRs", "pods");
    note_range(report, LEASE_SERVICE, "serviceCIDRs", "Services");
    note_over_limits(report);
    note_unforwarded(report);
    cluster_read_sightings(report->context->cluster, note_ignored, &ignored);
    if (!cluster_read_asks_runtimes(report->context->cluster)) /* there it is the rule */
        cluster_read_namespaces(report->context->cluster, note_namespace, &notes);
    if (notes.n > NOTES_MAX)
        json_format(report->json, NULL, "%u more Services are answered by their stated endpoints",
                    notes.n - NOTES_MAX);
    json_close_list(report->json);
}

static void put_forwarders(const struct report *report)
{
    struct json *json = report->json;

    json_open_list(json, "forwarders");
    for (unsigned i = 0; i < report->job->n_clients; i++) {
        const struct stream_client *client = &report->job->clients[i];

        if (*client->program == '\0')
            continue;
        json_open(json, NULL);
        json_text(json, "program", client->program);
        json_number(json, "pid", (uint64_t)client->pid);
        json_number(json, "uid", client->uid);
        json_close(json);
    }
    json_close_list(json);
}

static uint64_t seconds_since(uint64_t monotonic)
{
    return ((uint64_t)g_get_monotonic_time() - monotonic) / G_USEC_PER_SEC;
}

static void put_snapshot(const struct report *report)
{
    struct json *json = report->json;
    struct snapshot_writer_status status;

    snapshot_writer_status(report->context->writer, &status);
    json_open(json, "snapshot");
    json_number(json, "bytes", status.used);
    json_number(json, "liveBytes", status.live);
    json_number(json, "records", status.records);
    json_number(json, "publishes", status.published);
    if (report->context->published > 0)
        json_number(json, "ageSeconds", seconds_since(report->context->published));
    json_number(json, "compactions", status.compactions);
    json_close(json);
}

static void put_questions(const struct report *report)
{
    struct json *json = report->json;
    const struct server_status *status = &report->job->server;

    json_open(json, "questions");
    json_number(json, "total", status->questions);
    json_number(json, "found", status->found);
    json_number(json, "noData", status->no_data);
    json_number(json, "notFound", status->not_found);
    json_number(json, "notOurs", status->not_ours);
    json_number(json, "tryAgain", status->try_again);
    json_number(json, "refused", status->refused);
    json_close(json);
    json_open_list(json, "latencyMicroseconds");
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        json_open(json, NULL);
        if (histogram_limit(i) < UINT64_MAX)
            json_number(json, "le", histogram_limit(i));
        json_number(json, "count", status->latency.counts[i]);
        json_close(json);
    }
    json_close_list(json);
}

static void put_lease(const struct report *report, enum lease_use use, const char *name)
{
    struct lease_view leases = cluster_read_leases(report->context->cluster, use);
    struct json *json = report->json;

    json_open(json, NULL);
    json_text(json, "use", name);
    json_number(json, "held", leases.held);
    json_number(json, "size", leases.size);
    json_close(json);
}

static void put_change(void *userdata, const struct event *change)
{
    struct json *json = userdata;

    json_open(json, NULL);
    json_time(json, "time", change->time);
    json_text(json, "text", change->text);
    json_close(json);
}

static void put_loading(const struct report *report)
{
    const struct inspect_context *context = report->context;
    struct json *json = report->json;
    struct loader_progress progress;

    loader_progress(context->loader, &progress);
    if (context->loaded && !context->at_work && !progress.reads)
        return;
    json_open(json, "loading");
    json_number(json, "files", progress.files);
    json_number(json, "filesFound", progress.files_found);
    json_number(json, "objects", cluster_taken(context->cluster) - context->taken);
    json_number(json, "objectsFound", progress.objects);
    json_close(json);
}

static void put_files(const struct report *report)
{
    const struct loader *loader = report->context->loader;
    g_autoptr(GArray) copies = copies_list(loader);
    struct json *json = report->json;
    unsigned files = 0;

    json_open_list(json, "sources");
    loader_directories(loader, put_directory, json);
    json_close_list(json);
    json_open_list(json, "runtimes");
    runtimes_status(report->context->runtimes, put_runtime, (void *)(uintptr_t)report);
    json_close_list(json);
    json_open_list(json, "clusters");
    for (guint i = 0; i < copies->len; i++)
        put_copy(json, &g_array_index(copies, struct copy, i));
    json_close_list(json);
    loader_status(loader, count_file, &files);
    json_number(json, "files", files);
    json_number(json, "objects", cluster_size(report->context->cluster));
    json_number(json, "ignored", loader_ignored(loader, NULL, NULL));
    passed_over_write(report);
    json_open_list(json, "errors");
    loader_status(loader, put_errors, json);
    runtimes_status(report->context->runtimes, put_runtime_error, json);
    json_close_list(json);
}

enum kubesvc_inspect_result report_status(const struct report *report)
{
    const struct inspect_context *context = report->context;
    struct json *json = report->json;

    json_open(json, NULL);
    json_text(json, "version", KUBESVC_VERSION);
    json_number(json, "uptimeSeconds", seconds_since(context->started));
    json_text(json, "zone", context->config->zone);
    if (context->config->zones[1])
        json_texts(json, "zones", context->config->zones + 1);
    json_text(json, "namespace", context->config->ns);
    json_text(json, "socket", context->config->socket);
    json_text(json, "state", context->config->state);
    json_bool(json, "loaded", context->loaded);
    json_open(json, "configuration");
    report_config_keys(report);
    json_close(json);
    put_loading(report);
    put_files(report);
    json_open_list(json, "conflicts");
    cluster_read_shadowing(context->cluster, put_conflict, json);
    json_close_list(json);
    put_forwarders(report);
    put_notes(report);
    put_snapshot(report);
    put_questions(report);
    json_open_list(json, "leases");
    put_lease(report, LEASE_POD, "pods");
    put_lease(report, LEASE_SERVICE, "services");
    json_close_list(json);
    json_open_list(json, "changes");
    event_log_each(context->events, put_change, json);
    json_close_list(json);
    json_close_line(json);
    return KUBESVC_INSPECT_DONE;
}
