/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report of counters and gauges, in Prometheus' text exposition format.
 */
#include "copies.h"
#include "report.h"
#include "seen_pods.h"

#include <string.h>

static void put(const struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(const struct report *report, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    frame_writer_write(&report->job->frames, text, strlen(text));
}

static void begin(const struct report *report, const char *name, const char *type, const char *help)
{
    put(report, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(const struct report *report, const char *name, const char *help, uint64_t value)
{
    begin(report, name, "gauge", help);
    put(report, "%s %" G_GUINT64_FORMAT "\n", name, value);
}

static void counter(const struct report *report, const char *name, const char *help, uint64_t value)
{
    begin(report, name, "counter", help);
    put(report, "%s %" G_GUINT64_FORMAT "\n", name, value);
}

/* Prometheus counts are cumulative: each bucket includes those below it. */
static void put_latency(const struct report *report, const struct histogram *latency)
{
    const char *name = "kubesvc_answer_seconds";
    char limit[G_ASCII_DTOSTR_BUF_SIZE];
    uint64_t count = 0;

    begin(report, name, "histogram", "Time from a connection or a request on it to its answer.");
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += latency->counts[i];
        if (histogram_limit(i) == UINT64_MAX)
            strcpy(limit, "+Inf");
        else
            g_ascii_formatd(limit, sizeof limit, "%g", (double)histogram_limit(i) / G_USEC_PER_SEC);
        put(report, "%s_bucket{le=\"%s\"} %" G_GUINT64_FORMAT "\n", name, limit, count);
    }
    g_ascii_formatd(limit, sizeof limit, "%.6f", (double)latency->sum / G_USEC_PER_SEC);
    put(report, "%s_sum %s\n%s_count %" G_GUINT64_FORMAT "\n", name, limit, name, count);
}

static void put_questions(const struct report *report, const struct server_status *status)
{
    const struct {
        const char *name;
        uint64_t value;
    } values[] = {
        {"found", status->found},         {"no_data", status->no_data},
        {"not_found", status->not_found}, {"not_ours", status->not_ours},
        {"try_again", status->try_again},
    };

    begin(report, "kubesvc_answers_total", "counter", "Answers by status.");
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        put(report, "kubesvc_answers_total{status=\"%s\"} %" G_GUINT64_FORMAT "\n", values[i].name,
            values[i].value);
}

struct file_counts {
    uint64_t files, errors, warnings, stale;
};

static void count_file(void *userdata, const struct loader_file_status *status)
{
    struct file_counts *files = userdata;

    files->files++;
    files->stale += status->stale;
    for (guint i = 0; status->diagnostics && i < status->diagnostics->len; i++) {
        const struct diagnostic *diagnostic = status->diagnostics->pdata[i];

        if (diagnostic->severity == DIAGNOSTIC_ERROR)
            files->errors++;
        else
            files->warnings++;
    }
}

static void put_files(const struct report *report)
{
    struct file_counts files = {0};

    loader_status(report->context->loader, count_file, &files);
    gauge(report, "kubesvc_files", "Manifest files.", files.files);
    begin(report, "kubesvc_problems", "gauge", "Standing errors and warnings about manifests.");
    put(report,
        "kubesvc_problems{severity=\"error\"} %" G_GUINT64_FORMAT
        "\nkubesvc_problems{severity=\"warning\"} %" G_GUINT64_FORMAT "\n",
        files.errors, files.warnings);
    gauge(report, "kubesvc_stale_files", "Files whose last good content is in effect.",
          files.stale);
}

static void put_copies(const struct report *report)
{
    static const char *const gauges[][2] = {
        {"kubesvc_cluster_in_sync", "Is the copy of the cluster kept fresh?"},
        {"kubesvc_cluster_age_seconds", "Time since the last contact with it; 0 in sync."},
        {"kubesvc_cluster_services", "Its Services."},
    };
    g_autoptr(GArray) copies = copies_list(report->context->loader);

    for (size_t i = 0; copies->len > 0 && i < G_N_ELEMENTS(gauges); i++) {
        begin(report, gauges[i][0], "gauge", gauges[i][1]);
        for (guint j = 0; j < copies->len; j++) {
            const struct copy *copy = &g_array_index(copies, struct copy, j);
            const uint64_t values[] = {copy->fresh, copy->age, copy->services};
            g_autofree char *cluster = g_strescape(copy->cluster ? copy->cluster : "", NULL);

            put(report, "%s{cluster=\"%s\"} %" G_GUINT64_FORMAT "\n", gauges[i][0], cluster,
                values[i]);
        }
    }
}

static void put_seen(const struct report *report)
{
    if (!cluster_read_asks_runtimes(report->context->cluster))
        return;
    begin(report, "kubesvc_runtime_pods", "gauge", "Pods that run, and those that manifests have.");
    for (unsigned i = 0; i < RUNTIMES; i++) {
        struct seen_pods seen = seen_pods_of_runtime(report->context->cluster, i);

        put(report,
            "kubesvc_runtime_pods{runtime=\"%s\",in=\"runtime\"} %u\n"
            "kubesvc_runtime_pods{runtime=\"%s\",in=\"manifests\"} %u\n",
            runtime_name(i), seen.n, runtime_name(i), seen.n_taken);
    }
}

static void put_leases(const struct report *report)
{
    const struct lease_view pods = cluster_read_leases(report->context->cluster, LEASE_POD);
    const struct lease_view services = cluster_read_leases(report->context->cluster, LEASE_SERVICE);
    const struct {
        const char *name, *help;
        uint64_t pods, services;
    } gauges[] = {
        {"kubesvc_leases_held", "Allocated addresses in use.", pods.held, services.held},
        {"kubesvc_leases_size", "Addresses in the ranges.", pods.size, services.size},
        {"kubesvc_leases_refused", "Objects without an address because their range is full.",
         pods.refused, services.refused},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(gauges); i++) {
        begin(report, gauges[i].name, "gauge", gauges[i].help);
        put(report,
            "%s{use=\"pods\"} %" G_GUINT64_FORMAT "\n%s{use=\"services\"} %" G_GUINT64_FORMAT "\n",
            gauges[i].name, gauges[i].pods, gauges[i].name, gauges[i].services);
    }
}

enum kubesvc_inspect_result report_metrics(const struct report *report)
{
    const struct inspect_context *context = report->context;
    struct snapshot_writer_status snapshot;
    const struct server_status *server = &report->job->server;

    snapshot_writer_status(context->writer, &snapshot);
    begin(report, "kubesvc_build_info", "gauge", "The running version.");
    put(report, "kubesvc_build_info{version=\"%s\"} 1\n", KUBESVC_VERSION);
    gauge(report, "kubesvc_loaded", "Whether the first load is complete.", context->loaded);
    gauge(report, "kubesvc_uptime_seconds", "Time since the daemon started.",
          ((uint64_t)g_get_monotonic_time() - context->started) / G_USEC_PER_SEC);
    put_files(report);
    put_seen(report);
    put_copies(report);
    gauge(report, "kubesvc_objects", "Objects in effect.", cluster_size(context->cluster));
    put_questions(report, server);
    counter(report, "kubesvc_maps_total",
            "Snapshots handed to processes, whose later lookups are not counted.", server->maps);
    counter(report, "kubesvc_refused_total", "Requests that were malformed, unknown or cut off.",
            server->refused);
    gauge(report, "kubesvc_clients", "Connections that are open.", server->clients);
    gauge(report, "kubesvc_pending", "Lookups waiting for a nameserver.", server->pending);
    put_latency(report, &server->latency);
    gauge(report, "kubesvc_snapshot_bytes", "Memory of the snapshot.", snapshot.used);
    gauge(report, "kubesvc_snapshot_live_bytes", "The part of it that is in use.", snapshot.live);
    gauge(report, "kubesvc_snapshot_records", "Records in the snapshot.", snapshot.records);
    counter(report, "kubesvc_publishes_total", "Changes published.", snapshot.published);
    counter(report, "kubesvc_compactions_total", "Compactions of the snapshot.",
            snapshot.compactions);
    put_leases(report);
    return KUBESVC_INSPECT_DONE;
}
