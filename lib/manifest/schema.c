/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table. Each level is an array, the inner ones before those that hold them.
 */
#include "schema.h"

#include <string.h>

#define LEVEL(array, ...) static const struct schema_field array[] = {__VA_ARGS__, {.name = NULL}}
#define VALUES(array, ...) static const char *const array[] = {__VA_ARGS__, NULL}

/* clang-format off */ /* its releases differ here */
#define FIELD(key, of, ...) {.name = key, .type = SCHEMA_##of, __VA_ARGS__}
/* clang-format on */
#define ANY(key) FIELD(key, ANY, )
#define STRING(key) FIELD(key, STRING, )
#define CHOICE(key, of) FIELD(key, STRING, .values = (of))
#define BOOLEAN(key) FIELD(key, BOOLEAN, )
#define INTEGER(key) FIELD(key, INTEGER, )
#define RANGE(key, from, to) FIELD(key, INTEGER, .least = (from), .greatest = (to))
#define COUNT(key) RANGE(key, 0, INT32_MAX)
#define MIXED(key) FIELD(key, INTEGER_OR_STRING, )
#define MAP(key) FIELD(key, MAP, )
#define MAPS(key) FIELD(key, MAPS, )
#define STRINGS(key) FIELD(key, STRINGS, )
#define STRING_MAP(key) FIELD(key, STRING_MAP, )
#define MAP_OF(key, inner) FIELD(key, MAP, .level = (inner))
#define MAPS_OF(key, inner) FIELD(key, MAPS, .level = (inner))

#define NEEDS_STRING(key) FIELD(key, STRING, .required = true)
#define NEEDS_STRINGS(key) FIELD(key, STRINGS, .required = true)
#define NEEDS_CHOICE(key, of) FIELD(key, STRING, .required = true, .values = (of))
#define NEEDS_PORT(key) FIELD(key, INTEGER, .required = true, .least = 1, .greatest = 65535)
#define NEEDS_SIZE(key) FIELD(key, INTEGER, .required = true, .least = 1, .greatest = INT32_MAX)
#define NEEDS_MAP(key, inner) FIELD(key, MAP, .required = true, .level = (inner))
#define NEEDS_MAPS(key, inner) FIELD(key, MAPS, .required = true, .level = (inner))

VALUES(protocols, "TCP", "UDP", "SCTP");
VALUES(families, "IPv4", "IPv6");
VALUES(traffic_policies, "Cluster", "Local");

/* --- Common to all objects --- */

LEVEL(owner, STRING("apiVersion"), BOOLEAN("blockOwnerDeletion"), BOOLEAN("controller"),
      NEEDS_STRING("kind"), NEEDS_STRING("name"), STRING("uid"));
LEVEL(metadata, STRING_MAP("annotations"), STRING("clusterName"), STRING("creationTimestamp"),
      INTEGER("deletionGracePeriodSeconds"), STRING("deletionTimestamp"), STRINGS("finalizers"),
      STRING("generateName"), INTEGER("generation"), ANY("initializers"), STRING_MAP("labels"),
      MAPS("managedFields"), STRING("name"), STRING("namespace"), MAPS_OF("ownerReferences", owner),
      STRING("resourceVersion"), STRING("selfLink"), STRING("uid"));

#define HEAD STRING("apiVersion"), STRING("kind"), MAP_OF("metadata", metadata), MAP("status")
#define OBJECT(kind, spec) LEVEL(kind##_object, HEAD, NEEDS_MAP("spec", spec))

/* --- Services --- */

VALUES(service_types, "ClusterIP", "NodePort", "LoadBalancer", "ExternalName");
VALUES(family_policies, "SingleStack", "PreferDualStack", "RequireDualStack");
VALUES(affinities, "None", "ClientIP");
LEVEL(service_port, STRING("appProtocol"), STRING("name"), RANGE("nodePort", 0, 65535),
      NEEDS_PORT("port"), CHOICE("protocol", protocols), MIXED("targetPort"));
LEVEL(client_ip, RANGE("timeoutSeconds", 1, 86400));
LEVEL(affinity_config, MAP_OF("clientIP", client_ip));
LEVEL(service_spec, BOOLEAN("allocateLoadBalancerNodePorts"), STRING("clusterIP"),
      STRINGS("clusterIPs"), ANY("deprecatedPublicIPs"), STRINGS("externalIPs"),
      STRING("externalName"), CHOICE("externalTrafficPolicy", traffic_policies),
      RANGE("healthCheckNodePort", 0, 65535), CHOICE("internalTrafficPolicy", traffic_policies),
      STRINGS("ipFamilies"), CHOICE("ipFamily", families),
      CHOICE("ipFamilyPolicy", family_policies), STRING("loadBalancerClass"),
      STRING("loadBalancerIP"), STRINGS("loadBalancerSourceRanges"), ANY("portalIP"),
      MAPS_OF("ports", service_port), ANY("publicIPs"), BOOLEAN("publishNotReadyAddresses"),
      STRING_MAP("selector"), CHOICE("sessionAffinity", affinities),
      MAP_OF("sessionAffinityConfig", affinity_config), STRINGS("topologyKeys"),
      STRING("trafficDistribution"), CHOICE("type", service_types));
LEVEL(service_object, HEAD, MAP_OF("spec", service_spec));

/* --- Pods --- */

VALUES(pull_policies, "Always", "Never", "IfNotPresent");
VALUES(message_policies, "File", "FallbackToLogsOnError");
VALUES(restart_policies, "Always", "OnFailure", "Never");
VALUES(dns_policies, "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None");
LEVEL(container_port, NEEDS_PORT("containerPort"), STRING("hostIP"), RANGE("hostPort", 0, 65535),
      STRING("name"), CHOICE("protocol", protocols));
LEVEL(env, NEEDS_STRING("name"), STRING("value"), MAP("valueFrom"));
LEVEL(container, STRINGS("args"), STRINGS("command"), MAPS_OF("env", env), MAPS("envFrom"),
      NEEDS_STRING("image"), CHOICE("imagePullPolicy", pull_policies), MAP("lifecycle"),
      MAP("livenessProbe"), NEEDS_STRING("name"), MAPS_OF("ports", container_port),
      MAP("readinessProbe"), MAPS("resizePolicy"), MAP("resources"), STRING("restartPolicy"),
      MAPS("restartPolicyRules"), MAP("securityContext"), MAP("startupProbe"), BOOLEAN("stdin"),
      BOOLEAN("stdinOnce"), STRING("targetContainerName"), STRING("terminationMessagePath"),
      CHOICE("terminationMessagePolicy", message_policies), BOOLEAN("tty"), MAPS("volumeDevices"),
      MAPS("volumeMounts"), STRING("workingDir"));
LEVEL(pod_spec, INTEGER("activeDeadlineSeconds"), MAP("affinity"),
      BOOLEAN("automountServiceAccountToken"), NEEDS_MAPS("containers", container),
      MAP("dnsConfig"), CHOICE("dnsPolicy", dns_policies), BOOLEAN("enableServiceLinks"),
      MAPS("ephemeralContainers"), ANY("host"), MAPS("hostAliases"), BOOLEAN("hostIPC"),
      BOOLEAN("hostNetwork"), BOOLEAN("hostPID"), BOOLEAN("hostUsers"), STRING("hostname"),
      STRING("hostnameOverride"), MAPS("imagePullSecrets"), MAPS_OF("initContainers", container),
      STRING("nodeName"), STRING_MAP("nodeSelector"), MAP("os"), MAP("overhead"),
      STRING("preemptionPolicy"), INTEGER("priority"), STRING("priorityClassName"),
      MAPS("readinessGates"), MAPS("resourceClaims"), MAP("resources"),
      CHOICE("restartPolicy", restart_policies), STRING("runtimeClassName"),
      STRING("schedulerName"), MAPS("schedulingGates"), MAP("schedulingGroup"),
      MAP("securityContext"), STRING("serviceAccount"), STRING("serviceAccountName"),
      BOOLEAN("setHostnameAsFQDN"), BOOLEAN("shareProcessNamespace"), STRING("subdomain"),
      INTEGER("terminationGracePeriodSeconds"), MAPS("tolerations"),
      MAPS("topologySpreadConstraints"), MAPS("volumes"), MAP("workloadRef"));
LEVEL(template, HEAD, NEEDS_MAP("spec", pod_spec));
OBJECT(pod, pod_spec);

/* --- Workloads --- */

VALUES(operators, "In", "NotIn", "Exists", "DoesNotExist");
VALUES(management_policies, "OrderedReady", "Parallel");
VALUES(completion_modes, "NonIndexed", "Indexed");
VALUES(replacement_policies, "TerminatingOrFailed", "Failed");
VALUES(concurrency_policies, "Allow", "Forbid", "Replace");
LEVEL(requirement, NEEDS_STRING("key"), NEEDS_CHOICE("operator", operators), STRINGS("values"));
LEVEL(selector, MAPS_OF("matchExpressions", requirement), STRING_MAP("matchLabels"));
LEVEL(ordinals, COUNT("start"));
LEVEL(deployment, COUNT("minReadySeconds"), BOOLEAN("paused"), INTEGER("progressDeadlineSeconds"),
      COUNT("replicas"), COUNT("revisionHistoryLimit"), MAP("rollbackTo"),
      MAP_OF("selector", selector), MAP("strategy"), NEEDS_MAP("template", template));
LEVEL(replica_set, COUNT("minReadySeconds"), COUNT("replicas"), MAP_OF("selector", selector),
      NEEDS_MAP("template", template));
LEVEL(replication_controller, COUNT("minReadySeconds"), COUNT("replicas"), STRING_MAP("selector"),
      NEEDS_MAP("template", template));
LEVEL(stateful_set, COUNT("minReadySeconds"), MAP_OF("ordinals", ordinals),
      MAP("persistentVolumeClaimRetentionPolicy"),
      CHOICE("podManagementPolicy", management_policies), COUNT("replicas"),
      COUNT("revisionHistoryLimit"), MAP_OF("selector", selector), STRING("serviceName"),
      NEEDS_MAP("template", template), MAP("updateStrategy"), MAPS("volumeClaimTemplates"));
LEVEL(daemon_set, COUNT("minReadySeconds"), COUNT("revisionHistoryLimit"),
      MAP_OF("selector", selector), NEEDS_MAP("template", template), INTEGER("templateGeneration"),
      MAP("updateStrategy"));
LEVEL(job, COUNT("activeDeadlineSeconds"), BOOLEAN("autoSelector"), COUNT("backoffLimit"),
      COUNT("backoffLimitPerIndex"), CHOICE("completionMode", completion_modes),
      COUNT("completions"), STRING("managedBy"), BOOLEAN("manualSelector"),
      COUNT("maxFailedIndexes"), COUNT("parallelism"), MAP("podFailurePolicy"),
      CHOICE("podReplacementPolicy", replacement_policies), MAP_OF("selector", selector),
      MAP("successPolicy"), BOOLEAN("suspend"), NEEDS_MAP("template", template),
      COUNT("ttlSecondsAfterFinished"));
LEVEL(job_template, HEAD, NEEDS_MAP("spec", job));
LEVEL(cron_job, CHOICE("concurrencyPolicy", concurrency_policies), COUNT("failedJobsHistoryLimit"),
      NEEDS_MAP("jobTemplate", job_template), NEEDS_STRING("schedule"),
      COUNT("startingDeadlineSeconds"), COUNT("successfulJobsHistoryLimit"), BOOLEAN("suspend"),
      STRING("timeZone"));
OBJECT(deployment, deployment);
OBJECT(replica_set, replica_set);
OBJECT(replication_controller, replication_controller);
OBJECT(stateful_set, stateful_set);
OBJECT(daemon_set, daemon_set);
OBJECT(job, job);
OBJECT(cron_job, cron_job);

LEVEL(scale_target, STRING("apiVersion"), NEEDS_STRING("kind"), NEEDS_STRING("name"));
LEVEL(autoscaler, MAP("behavior"), NEEDS_SIZE("maxReplicas"), MAPS("metrics"), COUNT("minReplicas"),
      NEEDS_MAP("scaleTargetRef", scale_target), INTEGER("targetCPUUtilizationPercentage"));
OBJECT(autoscaler, autoscaler);

/* --- Endpoints --- */

VALUES(address_types, "IPv4", "IPv6", "FQDN");
LEVEL(reference, STRING("apiVersion"), STRING("fieldPath"), STRING("kind"), STRING("name"),
      STRING("namespace"), STRING("resourceVersion"), STRING("uid"));
LEVEL(conditions, BOOLEAN("ready"), BOOLEAN("serving"), BOOLEAN("terminating"));
LEVEL(endpoint, NEEDS_STRINGS("addresses"), MAP_OF("conditions", conditions),
      STRING_MAP("deprecatedTopology"), MAP("hints"), STRING("hostname"), STRING("nodeName"),
      MAP_OF("targetRef", reference), STRING_MAP("topology"), STRING("zone"));
LEVEL(slice_port, STRING("appProtocol"), STRING("name"), RANGE("port", 1, 65535),
      CHOICE("protocol", protocols));
LEVEL(slice_object, NEEDS_CHOICE("addressType", address_types), STRING("apiVersion"),
      MAPS_OF("endpoints", endpoint), STRING("kind"), MAP_OF("metadata", metadata),
      MAPS_OF("ports", slice_port));
LEVEL(endpoint_address, STRING("hostname"), NEEDS_STRING("ip"), STRING("nodeName"),
      MAP_OF("targetRef", reference));
LEVEL(endpoints_port, STRING("appProtocol"), STRING("name"), NEEDS_PORT("port"),
      CHOICE("protocol", protocols));
LEVEL(subset, MAPS_OF("addresses", endpoint_address),
      MAPS_OF("notReadyAddresses", endpoint_address), MAPS_OF("ports", endpoints_port));
LEVEL(endpoints_object, STRING("apiVersion"), STRING("kind"), MAP_OF("metadata", metadata),
      MAPS_OF("subsets", subset));

LEVEL(namespace_object, HEAD, MAP("spec"));

static const struct schema_field *const objects[OBJECT_KINDS] = {
#define KIND(symbol, fields, ...) [OBJECT_##symbol] = fields##_object,
    OBJECT_KINDS_EACH(KIND)
#undef KIND
};

const struct schema_field *schema_of(enum object_kind kind)
{
    return kind < OBJECT_KINDS ? objects[kind] : NULL;
}

const struct schema_field *schema_find(const struct schema_field *level, const char *name)
{
    for (; level->name; level++) {
        if (level->name[0] == name[0] && strcmp(level->name, name) == 0)
            return level;
    }
    return NULL;
}
