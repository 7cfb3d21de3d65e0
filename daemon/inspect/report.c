/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which function writes the report of each verb, and strings shared by several.
 */
#include "report.h"

#include <string.h>

#include "backends.h"

static const struct verb {
    const char *name;
    unsigned least, most; /* arguments, including the verb */
    report_fn write;
} verbs[] = {
    {"services", 1, 2, report_services},
    {"endpoints", 1, 2, report_endpoints},
    {"pods", 1, 2, report_pods},
    {"workloads", 1, 2, report_workloads},
    {"namespaces", 1, 1, report_namespaces},
    {"names", 1, 2, report_names},
    {"describe", 3, 3, report_describe},
    {"explain", 3, 3, report_explain},
    {"query", 4, 4, report_query},
    {"status", 1, 1, report_status},
    {"metrics", 1, 1, report_metrics},
    {"config", 1, 1, report_config},
    {"backends", 1, 2, report_backends},
};

report_fn report_find(const struct args *args)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (strcmp(verbs[i].name, args_get(args, 0)) == 0)
            return args->n >= verbs[i].least && args->n <= verbs[i].most ? verbs[i].write : NULL;
    return NULL;
}

bool report_stays(const struct args *args)
{
    return report_find(args) == report_backends;
}

/* A name of the program that forwards may follow. */
enum kubesvc_inspect_result report_backends(const struct report *report)
{
    const char *program = args_get(&report->job->args, 1);
    size_t length = strlen(program);

    if (length > STREAM_PROGRAM_MAX ||
        strspn(program, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
        return KUBESVC_INSPECT_UNKNOWN;
    backends_follow(report->context->backends, report);
    return KUBESVC_INSPECT_DONE;
}

const char *report_forwarder(const struct report *report)
{
    for (unsigned i = 0; i < report->job->n_clients; i++)
        if (*report->job->clients[i].program)
            return report->job->clients[i].program;
    return NULL;
}

static void print(void *frames, const char *text, size_t size)
{
    frame_writer_write(frames, text, size);
}

void report_make(const struct inspect_context *context, struct job *job)
{
    struct report report = {context, job, json_new(false, print, &job->frames)};
    enum kubesvc_inspect_result result = report_find(&job->args)(&report);

    job->stays =
        result == KUBESVC_INSPECT_DONE && report_stays(&job->args) && !job->frames.too_large;
    if (job->stays)
        frame_writer_flush(&job->frames);
    else
        frame_writer_end(&job->frames, result);
    json_free(report.json);
}

const struct ns *report_namespace(const struct report *report, const char *name)
{
    g_autofree char *folded = g_ascii_strdown(name, -1);
    char *at = strchr(folded, '@');

    if (at && strcmp(at + 1, report->context->config->zone) == 0)
        *at = '\0';
    return cluster_read_namespace(report->context->cluster, folded);
}

void report_namespaces_each(const struct report *report, cluster_read_namespace_fn each,
                            void *userdata)
{
    const char *name = args_get(&report->job->args, 1);

    if (*name == '\0') {
        cluster_read_namespaces(report->context->cluster, each, userdata);
        return;
    }
    const struct ns *ns = report_namespace(report, name);
    if (ns)
        each(userdata, ns);
}

char *report_name(const struct report *report, const char *below, const char *name, const char *ns,
                  const char *kind)
{
    const char *at = strchrnul(ns, '@');

    return g_strdup_printf("%s%s%s%s%.*s.%s.%s", below ? below : "", below ? "." : "",
                           name ? name : "", name ? "." : "", (int)(at - ns), ns, kind,
                           *at ? at + 1 : report->context->config->zone);
}

const char *report_origin(enum address_origin origin, const struct sighting *seen)
{
    switch (origin) {
    case ADDRESS_NODE: return "node";
    case ADDRESS_ALLOCATED: return "allocated";
    case ADDRESS_SEEN: return seen ? runtime_name(seen->runtime) : "seen";
    case ADDRESS_STATED: break;
    }
    return "stated";
}

const char *report_status_name(enum kubesvc_status status)
{
    switch (status) {
    case KUBESVC_STATUS_FOUND: return "FOUND";
    case KUBESVC_STATUS_NO_DATA: return "NO_DATA";
    case KUBESVC_STATUS_NOT_FOUND: return "NOT_FOUND";
    case KUBESVC_STATUS_NOT_OURS: return "NOT_OURS";
    case KUBESVC_STATUS_TRY_AGAIN: break;
    }
    return "TRY_AGAIN";
}

char *report_workload_name(const struct workload_state *workload)
{
    return g_strdup_printf("%s/%s", object_kind_name(workload->identity.kind),
                           workload->identity.name);
}
