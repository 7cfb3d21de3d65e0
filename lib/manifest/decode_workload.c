/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of the workloads: how many pods run, what they look like, how they are selected.
 */
#include <string.h>

#include "decode.h"
#include "lib/yaml/scalar.h"
#include "validate.h"

static void read_requirement(struct fields *fields, const struct yaml_node *map,
                             GArray *requirements)
{
    static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};
    const struct yaml_node *value = fields_elements(fields, map, "values");
    const char *key = fields_string(fields, map, "key");
    struct requirement requirement;
    g_autoptr(GPtrArray) values = NULL;
    int chosen = decode_choice(fields, map, "operator", operators, -1);

    if (!key || chosen < 0) {
        fields_error(fields, map->position, "missing-field",
                     "the elements of matchExpressions need a key and an operator");
        return;
    }
    values = g_ptr_array_new();
    for (; value; value = value->next) {
        const char *text = fields_text(fields, value, "values");

        if (text)
            g_ptr_array_add(values, (gpointer)(uintptr_t)name_intern(text));
    }
    g_ptr_array_add(values, NULL);
    requirement = (struct requirement){
        name_intern(key),
        (enum requirement_operator)chosen,
        (const char **)(void *)g_ptr_array_free(g_steal_pointer(&values), FALSE),
    };
    g_array_append_val(requirements, requirement);
}

static void read_expressions(struct fields *fields, const struct yaml_node *selector,
                             struct workload *workload)
{
    const struct yaml_node *iterator = fields_elements(fields, selector, "matchExpressions"), *map;
    GArray *requirements;

    if (!iterator)
        return;
    requirements = g_array_new(FALSE, FALSE, sizeof(struct requirement));
    while ((map = fields_next_map(fields, &iterator, "matchExpressions")))
        read_requirement(fields, map, requirements);
    workload->n_requirements = requirements->len;
    workload->requirements = (struct requirement *)(void *)g_array_free(requirements, FALSE);
}

/* Before apps/v1beta2 the API server filled in a missing selector from the template's labels, and
 * still does for a ReplicationController. A Job's selector is a uid that it adds to these
 * labels. */
static bool defaults_selector(const struct yaml_node *root, const struct workload *workload)
{
    const char *version = decode_peek(root, "apiVersion");

    return workload->object.kind == OBJECT_REPLICATION_CONTROLLER ||
           workload->object.kind == OBJECT_JOB || g_strcmp0(version, "extensions/v1beta1") == 0 ||
           g_strcmp0(version, "apps/v1beta1") == 0;
}

static void read_selector(struct fields *fields, const struct yaml_node *root,
                          const struct yaml_node *spec, struct workload *workload)
{
    if (workload->object.kind == OBJECT_REPLICATION_CONTROLLER) {
        workload->selector = decode_labels(fields, spec, "selector");
    } else {
        const struct yaml_node *selector = fields_map(fields, spec, "selector");

        workload->selector = decode_labels(fields, selector, "matchLabels");
        read_expressions(fields, selector, workload);
    }
    if (!workload->selector && workload->n_requirements == 0 && workload->template.labels->n > 0 &&
        defaults_selector(root, workload))
        workload->selector = labels_ref(workload->template.labels);
}

static bool job_is_over(struct fields *fields, const struct yaml_node *root)
{
    const struct yaml_node *status = fields_map(fields, root, "status");
    const struct yaml_node *iterator = fields_elements(fields, status, "conditions"), *map;
    bool over = fields_string(fields, status, "completionTime") != NULL;

    while ((map = fields_next_map(fields, &iterator, "conditions"))) {
        const char *type = fields_string(fields, map, "type");

        if (g_strcmp0(type, "Complete") == 0 || g_strcmp0(type, "Failed") == 0)
            over |= g_strcmp0(fields_string(fields, map, "status"), "True") == 0;
    }
    return over;
}

/* Pods of a hook run during the release, and are mostly deleted afterwards. */
static bool is_helm_hook(const struct yaml_node *root)
{
    const struct yaml_node *metadata = yaml_node_get(root, "metadata");

    return decode_peek(yaml_node_get(metadata, "annotations"), "helm.sh/hook");
}

/* As many as the controller runs at a time. Without completions, the first success ends the Job,
 * and the pods still running are the last. */
static int64_t count_active(struct fields *fields, const struct yaml_node *root,
                            const struct yaml_node *spec)
{
    const struct yaml_node *status = fields_map(fields, root, "status");
    int64_t parallelism = 1, completions = 1, succeeded = 0, active = 0;
    bool parallel = fields_integer(fields, spec, "parallelism", 0, INT32_MAX, &parallelism);
    bool complete = fields_integer(fields, spec, "completions", 0, INT32_MAX, &completions);

    fields_integer(fields, status, "succeeded", 0, INT32_MAX, &succeeded);
    fields_integer(fields, status, "active", 0, INT32_MAX, &active);
    if (complete || !parallel)
        return CLAMP(completions - succeeded, 0, parallelism);
    return succeeded > 0 ? MIN(active, parallelism) : parallelism;
}

static int64_t read_job(struct fields *fields, const struct yaml_node *root,
                        const struct yaml_node *spec, struct workload *workload)
{
    static const char *const modes[] = {"NonIndexed", "Indexed", NULL};
    bool suspended = fields_bool(fields, spec, "suspend", false);
    int64_t active = count_active(fields, root, spec);

    workload->indexed = decode_choice(fields, spec, "completionMode", modes, 0) == 1;
    if (job_is_over(fields, root))
        workload->idle = JOB_OVER;
    else if (suspended)
        workload->idle = JOB_SUSPENDED;
    else if (is_helm_hook(root))
        workload->idle = JOB_HOOK;
    else if (active == 0)
        workload->idle = JOB_SATISFIED;
    return workload->idle == JOB_ACTIVE ? active : 0;
}

static void read_replicas(struct fields *fields, const struct yaml_node *root,
                          const struct yaml_node *spec, struct workload *workload)
{
    int64_t replicas = 1;

    if (workload->object.kind == OBJECT_JOB)
        replicas = read_job(fields, root, spec, workload);
    else if (workload->object.kind == OBJECT_CRON_JOB)
        replicas = 0; /* its Jobs come and go */
    else if (workload->object.kind != OBJECT_DAEMON_SET)
        workload->unsaid = !fields_integer(fields, spec, "replicas", 0, INT32_MAX, &replicas);
    if (replicas > REPLICAS_MAX) {
        fields_warning(fields, spec->position, "too-many-replicas", "only %u replicas are counted",
                       REPLICAS_MAX);
        replicas = REPLICAS_MAX;
    }
    workload->replicas = (uint32_t)replicas;
}

static void read_stateful_set(struct fields *fields, const struct yaml_node *spec,
                              struct workload *workload)
{
    int64_t start = 0;

    workload->service_name = name_intern(decode_dns_label(fields, spec, "serviceName"));
    decode_whole(fields); /* the names of all pods depend on it */
    fields_integer(fields, fields_map(fields, spec, "ordinals"), "start", 0, INT32_MAX, &start);
    decode_part(fields);
    workload->ordinal = (uint32_t)start;
}

static void read_workload(struct fields *fields, const struct yaml_node *root,
                          struct object *object)
{
    struct workload *workload = (struct workload *)object;
    const struct yaml_node *spec, *template, *metadata, *pod_spec;

    workload->owner = decode_owner(fields, yaml_node_get(root, "metadata"));
    workload->labels = decode_own_labels(fields, yaml_node_get(root, "metadata"));
    decode_whole(fields);
    spec = fields_map(fields, root, "spec");
    read_replicas(fields, root, spec, workload);
    if (workload->object.kind == OBJECT_CRON_JOB)
        spec = fields_map(fields, fields_map(fields, spec, "jobTemplate"), "spec");
    template = fields_map(fields, spec, "template");
    metadata = fields_map(fields, template, "metadata");
    pod_spec = fields_map(fields, template, "spec");
    decode_part(fields);
    decode_pod_spec(fields, metadata, pod_spec, &workload->template);
    decode_whole(fields);
    read_selector(fields, root, spec, workload);
    decode_part(fields);
    if (workload->object.kind == OBJECT_STATEFUL_SET)
        read_stateful_set(fields, spec, workload);
}

const struct decoder workload_decoder = {.read = read_workload, .validate = validate_workload};
