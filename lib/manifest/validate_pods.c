/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Pods and the workloads that make them may not say.
 */
#include <string.h>

#include "lib/yaml/scalar.h"
#include "validate.h"

static void check_containers(struct fields *fields, const struct node *spec, const char *key,
                             GHashTable *seen)
{
    const struct node *container = validate_first(validate_child(spec, key));

    for (; container; container = container->next) {
        const char *name = validate_text(container, "name");

        validate_port_names(fields, validate_child(container, "ports"), PORT_NAMES_SHORT);
        if (!name)
            continue;
        if (!dns_label_is_valid(name))
            fields_refuse(fields, node_get(container, "name")->position, "invalid-name",
                          "the name of a container must be a DNS label ([a-z0-9-], at most 63 "
                          "characters)");
        else if (!g_hash_table_add(seen, (gpointer)(uintptr_t)name))
            fields_refuse(fields, node_get(container, "name")->position, "duplicate-container",
                          "duplicate container name");
    }
}

static void check_pod_spec(struct fields *fields, const struct node *spec)
{
    g_autoptr(GHashTable) seen = validate_texts();

    check_containers(fields, spec, "initContainers", seen);
    check_containers(fields, spec, "containers", seen);
}

void validate_pod(struct fields *fields, const struct node *root)
{
    check_pod_spec(fields, validate_child(root, "spec"));
}

static bool is_job(const struct workload *workload)
{
    return workload->object.kind == OBJECT_JOB || workload->object.kind == OBJECT_CRON_JOB;
}

/* Only Jobs come to an end, and must say how; the default is for the others. */
static void check_restart_policy(struct fields *fields, const struct node *spec,
                                 const struct workload *workload)
{
    const char *policy = validate_text(spec, "restartPolicy");
    bool always = !policy || strcmp(policy, "Always") == 0;

    if (!spec || spec->type != NODE_MAP || always != is_job(workload))
        return;
    fields_refuse(fields, validate_position(validate_child(spec, "restartPolicy"), spec),
                  "restart-policy",
                  is_job(workload) ? "restartPolicy of a Job's pods must be OnFailure or Never"
                                   : "restartPolicy of a workload's pods must be Always");
}

/* Before apps/v1beta2 a selector that is missing was the template's labels. */
static bool needs_selector(const struct node *root, const struct workload *workload)
{
    const char *version = validate_text(root, "apiVersion");

    return workload->object.kind != OBJECT_REPLICATION_CONTROLLER &&
           g_strcmp0(version, "extensions/v1beta1") != 0 && g_strcmp0(version, "apps/v1beta1") != 0;
}

static void check_selector(struct fields *fields, const struct node *root, const struct node *spec,
                           const struct workload *workload, bool labels_are_good)
{
    const struct node *selector = validate_child(spec, "selector");

    if (is_job(workload)) /* its selector is made up by the control plane */
        return;
    validate_labels(fields, validate_child(selector, "matchLabels"), "spec.selector.matchLabels");
    if (!workload->selector && workload->n_requirements == 0) {
        if (needs_selector(root, workload))
            fields_refuse(fields, validate_position(selector, spec ? spec : root), "no-selector",
                          "spec.selector is missing");
        return;
    }
    if (labels_are_good && !workload_selects(workload, workload->template.labels))
        fields_refuse(fields, selector ? selector->key_position : spec->position,
                      "selector-mismatch",
                      "the selector does not match the labels of its own template");
}

/* What is not was left out of them, and says nothing about the selector. */
static bool are_strings(const struct node *labels)
{
    for (const struct node *child = labels && labels->type == NODE_MAP ? labels->first : NULL;
         child; child = child->next) {
        if (child->type != NODE_SCALAR)
            return false;
        if (scalar_read(child).type != SCALAR_STRING && !scalar_is_null(child))
            return false;
    }
    return true;
}

void validate_workload(struct fields *fields, const struct node *root,
                       const struct workload *workload)
{
    const struct node *spec = validate_child(root, "spec"), *template, *labels;

    if (fields->broken)
        return;
    if (workload->object.kind == OBJECT_CRON_JOB)
        spec = validate_child(validate_child(spec, "jobTemplate"), "spec");
    template = validate_child(spec, "template");
    labels = validate_child(validate_child(template, "metadata"), "labels");
    validate_labels(fields, labels, "the template's labels");
    check_restart_policy(fields, validate_child(template, "spec"), workload);
    check_selector(fields, root, spec, workload, are_strings(labels));
    check_pod_spec(fields, validate_child(template, "spec"));
}
