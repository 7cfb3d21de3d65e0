/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Service against everything else: what its selector matches, and whether its fields are
 * consistent. An unmatched selector gets the closest suggestion, because it is a misspelling more
 * often than a missing file.
 */
#include "lint.h"

#include <limits.h>
#include <string.h>

#include "lib/model/cluster_read.h"
#include "lib/model/pods.h"
#include "lib/util/suggest.h"

/* A replica without its address: what a selector may ask for is all there is to it. */
static void view_replica(const struct workload *workload, uint32_t index, struct pod_view *view)
{
    *view = (struct pod_view){
        .object = &workload->object,
        .ordinal = workload->ordinal + index,
        .spec = &workload->template,
    };
    g_snprintf(view->name, sizeof view->name, "%s-%u", workload->object.name, view->ordinal);
}

/* Does a Service's selector match the pods of this object: a Pod, or a workload whose controller
 * would give each of its pods a label? */
static bool selects(const struct service *service, const struct object *object)
{
    struct pod_view view = {.object = object, .spec = lint_model_pod_spec(object)};
    if (object->kind == OBJECT_POD)
        return pods_match(service->selector, &view);
    const struct workload *workload = (const struct workload *)object;
    for (uint32_t i = 0; i < MAX(workload->replicas, 1); i++) {
        view_replica(workload, i, &view);
        if (pods_match(service->selector, &view))
            return true;
    }
    return false;
}

/* The pods and templates that a Service selects, to be freed with g_ptr_array_unref. */
static GPtrArray *selected_by(const struct lint_record *record)
{
    const struct service *service = (const struct service *)record->object;
    GPtrArray *objects = g_ptr_array_new();
    for (guint i = 0; i < record->selection.groups->len; i++) {
        const struct group *group = record->selection.groups->pdata[i];
        for (guint j = 0; j < group->members->len; j++)
            if (!record->partial || selects(service, group->members->pdata[j]))
                g_ptr_array_add(objects, group->members->pdata[j]);
    }
    return objects;
}

/* The pods that a selector misses least, and by which label. */
struct nearest {
    const struct labels *selector;
    const struct object *object;
    const struct label *missing;
    unsigned score; /* less is nearer */
};

static void consider(struct nearest *nearest, const struct group *group)
{
    const struct label *missing = NULL;
    unsigned score = 0;
    bool related = false;
    for (uint32_t i = 0; i < nearest->selector->n; i++) {
        const struct label *pair = &nearest->selector->pairs[i];
        const char *value = labels_get(group->labels, pair->key);
        if (value && strcmp(value, pair->value) == 0) {
            related = true;
            continue;
        }
        unsigned distance = value ? suggest_distance(value, pair->value) : UINT_MAX;
        related |= distance <= 2;
        score += 100 + MIN(distance, 100);
        if (!missing)
            missing = pair;
    }
    if (!related || !missing || (nearest->object && score > nearest->score))
        return;
    for (guint i = 0; i < group->members->len; i++) {
        const struct object *object = group->members->pdata[i];
        /* always the same one, whatever the order of the table */
        if (nearest->object && score == nearest->score &&
            strcmp(object->name, nearest->object->name) >= 0)
            continue;
        *nearest = (struct nearest){nearest->selector, object, missing, score};
    }
}

static char *describe_nearest(const struct labels *selector, const struct ns *ns)
{
    struct nearest nearest = {.selector = selector};
    GHashTableIter iter;
    gpointer group;
    g_hash_table_iter_init(&iter, ns->groups);
    while (g_hash_table_iter_next(&iter, NULL, &group))
        consider(&nearest, group);
    if (!nearest.object)
        return NULL;
    const char *kind = object_kind_name(nearest.object->kind), *key = nearest.missing->key;
    const char *value = labels_get(lint_model_pod_spec(nearest.object)->labels, key);
    if (value)
        return g_strdup_printf("; nearest is %s %s, whose label %s is %s, not %s", kind,
                               nearest.object->name, key, value, nearest.missing->value);
    return g_strdup_printf("; nearest is %s %s, which has no label %s", kind, nearest.object->name,
                           key);
}

struct elsewhere {
    const struct labels *selector;
    const struct object *object;
};

static void look_elsewhere(void *userdata, const struct ns *ns)
{
    struct elsewhere *elsewhere = userdata;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, ns->groups);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct group *group = value;
        const struct object *first = group->members->pdata[0];
        if (!labels_match(elsewhere->selector, group->labels))
            continue;
        if (!elsewhere->object || strcmp(first->ns, elsewhere->object->ns) < 0)
            elsewhere->object = first;
    }
}

static char *explain_miss(struct lint_model *model, const struct service *service)
{
    const struct ns *ns = lint_model_namespace(model, service->object.ns);
    struct elsewhere elsewhere = {.selector = service->selector};
    if (!lint_model_affords(model, lint_model_records(model)->len))
        return g_strdup("");
    char *text = describe_nearest(service->selector, ns);
    if (text)
        return text;
    lint_model_each_namespace(model, look_elsewhere, &elsewhere);
    if (elsewhere.object)
        return g_strdup_printf("; %s %s would match, but is in namespace %s",
                               object_kind_name(elsewhere.object->kind), elsewhere.object->name,
                               elsewhere.object->ns);
    if (g_hash_table_size(ns->groups) == 0)
        return g_strdup("; nothing checked has pods in this namespace");
    return g_strdup("; no label is similar");
}

static char *selector_text(const struct labels *selector)
{
    GString *text = g_string_new(NULL);
    for (uint32_t i = 0; i < selector->n; i++)
        g_string_append_printf(text, "%s%s=%s", i > 0 ? "," : "", selector->pairs[i].key,
                               selector->pairs[i].value);
    return g_string_free(text, FALSE);
}

/* Are the pods that the selector matches what counts? */
static bool has_pods(struct lint_model *model, const struct lint_record *record)
{
    const struct object *object = record->object;
    const struct ns *ns = lint_model_namespace(model, object->ns);
    const char *name = name_intern(object->name);
    bool has_slices = namespace_slices(ns, name) != NULL;
    name_unref(name);
    return !has_slices && !lint_model_find(model, OBJECT_ENDPOINTS, object->ns, object->name);
}

static bool is_idle(const struct object *object)
{
    return object->kind == OBJECT_CRON_JOB ||
           (object->kind == OBJECT_JOB && ((const struct workload *)object)->idle != JOB_ACTIVE);
}

/* Jobs that the selector means, too, by the first of them. */
static void check_jobs(const struct lint_record *record, const GPtrArray *selected,
                       struct check_report *report)
{
    const struct object *first = NULL;
    unsigned n = 0;
    for (guint i = 0; i < selected->len; i++) {
        const struct object *object = selected->pdata[i];
        if (!is_idle(object))
            continue;
        n++;
        if (!first || strcmp(object->name, first->name) < 0)
            first = object;
    }
    if (!first)
        return;
    g_autofree char *more = n > 1 ? g_strdup_printf(" (and %u more)", n - 1) : g_strdup("");
    check_report_add(report, DIAGNOSTIC_WARNING, "left-out-job", record->object, record->selector,
                     "the selector matches %s %s%s at %s:%u, which has no pods and is left out: "
                     "%s",
                     object_kind_name(first->kind), first->name, more, first->source->path,
                     first->line, cluster_read_why_no_replicas((const struct workload *)first));
}

static void check_selector(struct lint_model *model, const struct lint_record *record,
                           struct check_report *report)
{
    const struct service *service = (const struct service *)record->object;
    if (lint_is_operated(service->selector) ||
        lint_model_makes(model, service->object.ns, service->selector))
        return;
    g_autofree char *selector = selector_text(service->selector);
    g_autofree char *why = explain_miss(model, service);
    check_report_add(report, DIAGNOSTIC_WARNING, "selects-nothing", &service->object,
                     record->selector, "the selector %s matches no pod and no template%s", selector,
                     why);
}

/* Has the pod an address that is not the daemon's to give? */
static bool is_real(const struct object *object)
{
    const struct pod_spec *spec = lint_model_pod_spec(object);
    return spec->stated.n > 0 || spec->host_network ||
           (object->kind == OBJECT_POD && ((const struct pod *)object)->has_status);
}

bool lint_gets_cluster_ip(struct lint_model *model, const struct lint_record *record)
{
    const struct service *service = (const struct service *)record->object;
    if (record->object->kind != OBJECT_SERVICE || record->object->refused ||
        record->object->has_uid || service->type == SERVICE_EXTERNAL_NAME || service->headless ||
        service->cluster_ips.n > 0 || service->stated.n > 0)
        return false;
    if (!record->selection.selector || !has_pods(model, record))
        return false;
    g_autoptr(GPtrArray) selected = selected_by(record);
    for (guint i = 0; i < selected->len; i++)
        if (is_real(selected->pdata[i]))
            return false;
    return selected->len > 0;
}

static void check_external_name(const struct lint_record *record, struct check_report *report)
{
    const struct service *service = (const struct service *)record->object;
    struct address address;
    if (!service->external_name)
        return;
    if (address_parse(&address, service->external_name, strlen(service->external_name)))
        check_report_add(report, DIAGNOSTIC_WARNING, "external-address", &service->object,
                         record->external_name,
                         "externalName is an address rather than a name; it has no answer");
}

void lint_service(struct lint_model *model, const struct lint_record *record,
                  struct check_report *report)
{
    const struct service *service = (const struct service *)record->object;
    if (service->type == SERVICE_EXTERNAL_NAME) {
        check_external_name(record, report);
        return;
    }
    if (!record->selection.selector)
        return;
    g_autoptr(GPtrArray) selected = selected_by(record);
    if (has_pods(model, record)) {
        if (selected->len == 0)
            check_selector(model, record, report);
        check_jobs(record, selected, report);
    }
    lint_ports(record, selected, report);
}
