/*
 * Fields that are none, where they are near to one: at every level that the reader looks into, the
 * names that the API knows there, of all its versions. A key that is near to nothing is left alone,
 * because the API grows faster than this table.
 */
#include "lint.h"

#include <string.h>

#include "lib/util/near.h"

struct level {
    const char *const *fields;
    const struct inner *inner; /* ended by a NULL key */
};

struct inner {
    const char *key;
    const struct level *level; /* of the mapping there, or of each mapping of the list */
};

#define FIELDS(name, ...) static const char *const name[] = {__VA_ARGS__, NULL}
#define LEVEL(name, names, ...)                                                                    \
    static const struct level name = {names, (const struct inner[]){__VA_ARGS__{NULL, NULL}}}

FIELDS(owner_fields, "apiVersion", "blockOwnerDeletion", "controller", "kind", "name", "uid");
FIELDS(metadata_fields, "annotations", "clusterName", "creationTimestamp",
       "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generateName",
       "generation", "initializers", "labels", "managedFields", "name", "namespace",
       "ownerReferences", "resourceVersion", "selfLink", "uid");
LEVEL(owner, owner_fields, );
LEVEL(metadata, metadata_fields, {"ownerReferences", &owner}, );

FIELDS(port_fields, "appProtocol", "name", "nodePort", "port", "protocol", "targetPort");
FIELDS(service_spec_fields, "allocateLoadBalancerNodePorts", "clusterIP", "clusterIPs",
       "deprecatedPublicIPs", "externalIPs", "externalName", "externalTrafficPolicy",
       "healthCheckNodePort", "internalTrafficPolicy", "ipFamilies", "ipFamily", "ipFamilyPolicy",
       "loadBalancerClass", "loadBalancerIP", "loadBalancerSourceRanges", "portalIP", "ports",
       "publicIPs", "publishNotReadyAddresses", "selector", "sessionAffinity",
       "sessionAffinityConfig", "topologyKeys", "trafficDistribution", "type");
LEVEL(service_port, port_fields, );
LEVEL(service_spec, service_spec_fields, {"ports", &service_port}, );

FIELDS(container_port_fields, "containerPort", "hostIP", "hostPort", "name", "protocol");
FIELDS(container_fields, "args", "command", "env", "envFrom", "image", "imagePullPolicy",
       "lifecycle", "livenessProbe", "name", "ports", "readinessProbe", "resizePolicy", "resources",
       "restartPolicy", "restartPolicyRules", "securityContext", "startupProbe", "stdin",
       "stdinOnce", "targetContainerName", "terminationMessagePath", "terminationMessagePolicy",
       "tty", "volumeDevices", "volumeMounts", "workingDir");
FIELDS(pod_spec_fields, "activeDeadlineSeconds", "affinity", "automountServiceAccountToken",
       "containers", "dnsConfig", "dnsPolicy", "enableServiceLinks", "ephemeralContainers", "host",
       "hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostUsers", "hostname",
       "hostnameOverride", "imagePullSecrets", "initContainers", "nodeName", "nodeSelector", "os",
       "overhead", "preemptionPolicy", "priority", "priorityClassName", "readinessGates",
       "resourceClaims", "resources", "restartPolicy", "runtimeClassName", "schedulerName",
       "schedulingGates", "schedulingGroup", "securityContext", "serviceAccount",
       "serviceAccountName", "setHostnameAsFQDN", "shareProcessNamespace", "subdomain",
       "terminationGracePeriodSeconds", "tolerations", "topologySpreadConstraints", "volumes",
       "workloadRef");
FIELDS(object_fields, "apiVersion", "kind", "metadata", "spec", "status");
LEVEL(container_port, container_port_fields, );
LEVEL(container, container_fields, {"ports", &container_port}, );
LEVEL(pod_spec, pod_spec_fields, {"containers", &container}, {"initContainers", &container}, );
LEVEL(template, object_fields, {"metadata", &metadata}, {"spec", &pod_spec}, );

FIELDS(requirement_fields, "key", "operator", "values");
FIELDS(selector_fields, "matchExpressions", "matchLabels");
LEVEL(requirement, requirement_fields, );
LEVEL(selector, selector_fields, {"matchExpressions", &requirement}, );

FIELDS(deployment_fields, "minReadySeconds", "paused", "progressDeadlineSeconds", "replicas",
       "revisionHistoryLimit", "rollbackTo", "selector", "strategy", "template");
FIELDS(replica_set_fields, "minReadySeconds", "replicas", "selector", "template");
FIELDS(ordinals_fields, "start");
FIELDS(stateful_set_fields, "minReadySeconds", "ordinals", "persistentVolumeClaimRetentionPolicy",
       "podManagementPolicy", "replicas", "revisionHistoryLimit", "selector", "serviceName",
       "template", "updateStrategy", "volumeClaimTemplates");
FIELDS(daemon_set_fields, "minReadySeconds", "revisionHistoryLimit", "selector", "template",
       "templateGeneration", "updateStrategy");
FIELDS(job_fields, "activeDeadlineSeconds", "autoSelector", "backoffLimit", "backoffLimitPerIndex",
       "completionMode", "completions", "managedBy", "manualSelector", "maxFailedIndexes",
       "parallelism", "podFailurePolicy", "podReplacementPolicy", "selector", "successPolicy",
       "suspend", "template", "ttlSecondsAfterFinished");
FIELDS(cron_job_fields, "concurrencyPolicy", "failedJobsHistoryLimit", "jobTemplate", "schedule",
       "startingDeadlineSeconds", "successfulJobsHistoryLimit", "suspend", "timeZone");
LEVEL(ordinals, ordinals_fields, );
LEVEL(deployment, deployment_fields, {"selector", &selector}, {"template", &template}, );
LEVEL(replica_set, replica_set_fields, {"selector", &selector}, {"template", &template}, );
LEVEL(replication_controller, replica_set_fields, {"template", &template}, );
LEVEL(stateful_set, stateful_set_fields, {"selector", &selector}, {"template", &template},
      {"ordinals", &ordinals}, );
LEVEL(daemon_set, daemon_set_fields, {"selector", &selector}, {"template", &template}, );
LEVEL(job, job_fields, {"selector", &selector}, {"template", &template}, );
LEVEL(job_template, object_fields, {"metadata", &metadata}, {"spec", &job}, );
LEVEL(cron_job, cron_job_fields, {"jobTemplate", &job_template}, );

FIELDS(conditions_fields, "ready", "serving", "terminating");
FIELDS(endpoint_fields, "addresses", "conditions", "deprecatedTopology", "hints", "hostname",
       "nodeName", "targetRef", "topology", "zone");
FIELDS(endpoint_port_fields, "appProtocol", "name", "port", "protocol");
FIELDS(slice_fields, "addressType", "apiVersion", "endpoints", "kind", "metadata", "ports");
LEVEL(conditions, conditions_fields, );
LEVEL(endpoint, endpoint_fields, {"conditions", &conditions}, );
LEVEL(endpoint_port, endpoint_port_fields, );

FIELDS(endpoint_address_fields, "hostname", "ip", "nodeName", "targetRef");
FIELDS(subset_fields, "addresses", "notReadyAddresses", "ports");
FIELDS(endpoints_fields, "apiVersion", "kind", "metadata", "subsets");
LEVEL(endpoint_address, endpoint_address_fields, );
LEVEL(subset, subset_fields, {"addresses", &endpoint_address},
      {"notReadyAddresses", &endpoint_address}, {"ports", &endpoint_port}, );

#define OBJECT(name, spec)                                                                         \
    LEVEL(name##_object, object_fields, {"metadata", &metadata}, {"spec", &(spec)}, )
OBJECT(service, service_spec);
OBJECT(pod, pod_spec);
OBJECT(deployment, deployment);
OBJECT(replica_set, replica_set);
OBJECT(replication_controller, replication_controller);
OBJECT(stateful_set, stateful_set);
OBJECT(daemon_set, daemon_set);
OBJECT(job, job);
OBJECT(cron_job, cron_job);
LEVEL(namespace_object, object_fields, {"metadata", &metadata}, );
LEVEL(slice_object, slice_fields, {"metadata", &metadata}, {"endpoints", &endpoint},
      {"ports", &endpoint_port}, );
LEVEL(endpoints_object, endpoints_fields, {"metadata", &metadata}, {"subsets", &subset}, );

static const struct level *const objects[OBJECT_KINDS] = {
    [OBJECT_SERVICE] = &service_object,
    [OBJECT_ENDPOINT_SLICE] = &slice_object,
    [OBJECT_ENDPOINTS] = &endpoints_object,
    [OBJECT_POD] = &pod_object,
    [OBJECT_NAMESPACE] = &namespace_object,
    [OBJECT_DEPLOYMENT] = &deployment_object,
    [OBJECT_REPLICA_SET] = &replica_set_object,
    [OBJECT_REPLICATION_CONTROLLER] = &replication_controller_object,
    [OBJECT_STATEFUL_SET] = &stateful_set_object,
    [OBJECT_DAEMON_SET] = &daemon_set_object,
    [OBJECT_JOB] = &job_object,
    [OBJECT_CRON_JOB] = &cron_job_object,
};

static unsigned tolerance(const char *key)
{
    size_t length = strlen(key);
    return length > 5 ? 2 : length > 3 ? 1 : 0;
}

/* Where a key that is no field here is one below: the indentation is wrong. */
static const char *below(const struct level *level, const char *key)
{
    for (const struct inner *inner = level->inner; inner->key; inner++)
        if (g_strv_contains(inner->level->fields, key))
            return inner->key;
    return NULL;
}

static void judge(struct record *record, const struct level *level, const struct node *child)
{
    if (child->merged || g_strv_contains(level->fields, child->key))
        return;
    const char *meant = near_word(child->key, level->fields, tolerance(child->key));
    const char *place = meant ? NULL : below(level, child->key);
    if (!meant && !place)
        return;
    g_autofree char *description = object_describe(record->object);
    g_ptr_array_add(
        record->diagnostics,
        diagnostic_new(DIAGNOSTIC_WARNING, child->key_position.line, child->key_position.column,
                       "unknown-field", description,
                       meant ? "there is no field %s here, and it does nothing; did you mean %s?"
                             : "there is no field %s here, and it does nothing; it belongs into %s",
                       child->key, meant ? meant : place));
}

static void walk(struct record *record, const struct level *level, const struct node *map)
{
    for (const struct node *child = map->first; child; child = child->next) {
        judge(record, level, child);
        for (const struct inner *inner = level->inner; inner->key; inner++) {
            if (strcmp(inner->key, child->key) != 0)
                continue;
            if (child->type == NODE_MAP)
                walk(record, inner->level, child);
            for (const struct node *element = child->type == NODE_LIST ? child->first : NULL;
                 element; element = element->next)
                if (element->type == NODE_MAP)
                    walk(record, inner->level, element);
        }
    }
}

void lint_fields(struct record *record, const struct node *root)
{
    walk(record, objects[record->object->kind], root);
}
