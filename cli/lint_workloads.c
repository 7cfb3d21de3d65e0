/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Workloads and Pods against themselves and against the Services that they name.
 */
#include "lint.h"

#include <string.h>

#include "lib/model/cluster_read.h"
#include "lib/util/suggest.h"

#define NEAREST 2u /* slips of the finger */

/* "did you mean NAME?", or why it matters. To be freed with g_free. */
static char *explain_unknown(struct lint_model *model, const char *ns, const char *name)
{
    const GPtrArray *records = lint_model_records(model);
    unsigned best = NEAREST + 1;
    const char *nearest = NULL;
    bool afforded = lint_model_affords(model, records->len);
    for (guint i = 0; afforded && i < records->len; i++) {
        const struct object *object = ((const struct lint_record *)records->pdata[i])->object;
        if (object->kind != OBJECT_SERVICE || strcmp(object->ns, ns) != 0)
            continue;
        unsigned distance = suggest_distance(object->name, name);
        if (distance >= best)
            continue;
        best = distance;
        nearest = object->name;
    }
    return nearest ? g_strdup_printf("did you mean %s?", nearest)
                   : g_strdup("its pods get no names from it");
}

static void check_service_name(struct lint_model *model, const struct lint_record *record,
                               struct check_report *report)
{
    const struct workload *workload = (const struct workload *)record->object;
    const struct object *object = &workload->object;
    if (!workload->service_name) {
        check_report_add(report, DIAGNOSTIC_WARNING, "no-service-name", object,
                         (struct position){0},
                         "spec.serviceName is missing; its pods have no names of their own");
        return;
    }
    const struct lint_record *found =
        lint_model_find(model, OBJECT_SERVICE, object->ns, workload->service_name);
    if (!found) {
        g_autofree char *why = explain_unknown(model, object->ns, workload->service_name);
        check_report_add(report, DIAGNOSTIC_WARNING, "unknown-service", object,
                         record->service_name, "serviceName: no Service %s in namespace %s; %s",
                         workload->service_name, object->ns, why);
        return;
    }
    if (!((const struct service *)found->object)->headless)
        check_report_add(report, DIAGNOSTIC_WARNING, "service-not-headless", object,
                         record->service_name,
                         "serviceName names the Service %s (%s:%u), which is not headless: write "
                         "clusterIP: None there",
                         workload->service_name, found->object->source->path, found->object->line);
}

static void check_pod_names(const struct lint_record *record, struct check_report *report)
{
    const struct workload *workload = (const struct workload *)record->object;
    uint32_t nameable = workload_nameable(workload, workload->replicas);
    if (nameable == workload->replicas)
        return;
    g_autofree char *why = cluster_read_why_unnameable(workload, nameable);
    check_report_add(report, DIAGNOSTIC_ERROR, "pod-name", &workload->object, record->name, "%s",
                     why);
}

void lint_workload(struct lint_model *model, const struct lint_record *record,
                   struct check_report *report)
{
    check_pod_names(record, report);
    if (record->object->kind == OBJECT_STATEFUL_SET)
        check_service_name(model, record, report);
}

void lint_pod_spec(struct lint_model *model, const struct lint_record *record,
                   struct check_report *report)
{
    const struct pod_spec *spec = lint_model_pod_spec(record->object);
    const struct object *object = record->object;
    if (!spec->subdomain || lint_model_find(model, OBJECT_SERVICE, object->ns, spec->subdomain))
        return;
    g_autofree char *why = explain_unknown(model, object->ns, spec->subdomain);
    check_report_add(report, DIAGNOSTIC_WARNING, "unknown-service", object, record->subdomain,
                     "subdomain: no Service %s in namespace %s; %s", spec->subdomain, object->ns,
                     why);
}
