/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A report: one verb's answer, written as lines from the world as it is, be it in the middle of a
 * change. Made by the loader thread, between two pieces of its work.
 */
#pragma once

#include <glib.h>

#include "args.h"
#include "context.h"
#include "frame_writer.h"
#include "job.h"
#include "lib/model/cluster_read.h"
#include "report_json.h"

struct report {
    const struct inspect_context *context;
    struct job *job; /* its `frames` are written to; the verb is the first of its `args` */
    struct json *json;
};

/* Answers the job: its verb must exist. */
void report_make(const struct inspect_context *context, struct job *job);

/* Writes all lines; the result is what the END frame is to say. */
typedef enum kubesvc_inspect_result (*report_fn)(const struct report *report);

/* NULL: there is no such verb, or not with this many arguments. */
report_fn report_find(const struct args *args);

/* Is it a verb whose answer does not end, as changes follow? */
bool report_stays(const struct args *args);

enum kubesvc_inspect_result report_services(const struct report *report);
enum kubesvc_inspect_result report_endpoints(const struct report *report);
enum kubesvc_inspect_result report_pods(const struct report *report);
enum kubesvc_inspect_result report_workloads(const struct report *report);
enum kubesvc_inspect_result report_namespaces(const struct report *report);
enum kubesvc_inspect_result report_names(const struct report *report);
enum kubesvc_inspect_result report_describe(const struct report *report);
enum kubesvc_inspect_result report_explain(const struct report *report);
enum kubesvc_inspect_result report_query(const struct report *report);
enum kubesvc_inspect_result report_status(const struct report *report);
enum kubesvc_inspect_result report_metrics(const struct report *report);
enum kubesvc_inspect_result report_backends(const struct report *report);
enum kubesvc_inspect_result report_config(const struct report *report);

/* --- What several of them need --- */

/* Calls `each` with the namespace in the second argument, or with all. */
void report_namespaces_each(const struct report *report, cluster_read_namespace_fn each,
                            void *userdata);

/* A namespace as a caller names it: in any case, and also NAMESPACE@ZONE of the main zone. NULL:
 * there is none. */
const struct ns *report_namespace(const struct report *report, const char *name);

/* "[BELOW.][NAME.]NAMESPACE.KIND.ZONE", KIND being svc or pod, of a namespace that may be
 * NAMESPACE@ZONE. `below` and `name` may be NULL. To be freed with g_free. */
char *report_name(const struct report *report, const char *below, const char *name, const char *ns,
                  const char *kind);

/* The keys of a line of `services`, into the object that is open. */
void report_service_keys(const struct report *report, const struct service_state *state);

/* Which files the configuration is of, and whether they still say what is in force. */
void report_config_keys(const struct report *report);

/* The program that forwards connections to cluster IPs, NULL: none does. */
const char *report_forwarder(const struct report *report);

/* `seen`: where the pod runs, or NULL. */
const char *report_origin(enum address_origin origin, const struct sighting *seen);
const char *report_status_name(enum kubesvc_status status);

/* "Deployment/app" */
char *report_workload_name(const struct workload_state *workload);
