/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One fault in each field of each kind: does it break the object, drop only its part, or is all of
 * it used although the API rejects it? A dropped part is dropped exactly: the object is as if it
 * had never been written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/manifest_text.h"

enum outcome {
    BREAKS, /* nothing of the object counts */
    PART,   /* as `clean`, which is accepted or at least whole */
    KEPT,   /* all of it counts; `clean` is accepted */
};

#define OBJECT(version, kind, metadata, rest)                                                      \
    "apiVersion: " version "\nkind: " kind "\nmetadata: {name: a" metadata "}\n" rest "\n"

#define SERVICE_OF(metadata, spec) OBJECT("v1", "Service", metadata, "spec: {" spec "}")
#define SERVICE(spec) SERVICE_OF("", "selector: {app: a}, ports: [{port: 80}], " spec)
#define SERVICE_META(metadata) SERVICE_OF(", " metadata, "selector: {app: a}, ports: [{port: 80}]")
#define SERVICE_PORTS(ports) SERVICE_OF("", "selector: {app: a}, ports: [" ports "]")
#define SECOND_PORT(port) SERVICE_PORTS("{name: x, port: 80}, {name: w, " port "}")
#define FIRST_PORT SERVICE_PORTS("{name: x, port: 80}")
#define EXTERNAL(spec) SERVICE_OF("", "type: ExternalName, " spec)
#define TWO "10.0.0.1, 'fd00::1'"

#define CONTAINERS "containers: [{name: c, image: i, ports: [{name: x, containerPort: 80}]}]"
#define POD_OF(metadata, spec, status)                                                             \
    OBJECT("v1", "Pod", ", labels: {app: a}" metadata, "spec: {" spec "}\nstatus: {" status "}")
#define STATUS "podIP: 10.0.0.1, conditions: [{type: Ready, status: 'True'}]"
#define POD(spec) POD_OF("", CONTAINERS ", " spec, STATUS)
#define POD_META(metadata) POD_OF(", " metadata, CONTAINERS, STATUS)
#define POD_STATUS(status) POD_OF("", CONTAINERS, status)
#define CONTAINER(rest) POD_OF("", "containers: [{name: c, image: i, " rest "}]", STATUS)
#define CONTAINER_PORT(rest) CONTAINER("ports: [{name: x, containerPort: 80}, {name: w, " rest "}]")
#define CONTAINER_CLEAN CONTAINER("ports: [{name: x, containerPort: 80}]")

#define TEMPLATE_OF(metadata, spec)                                                                \
    "template: {metadata: {labels: {app: a}" metadata "}, spec: {" spec "}}"
#define TEMPLATE TEMPLATE_OF("", CONTAINERS)
#define SELECTOR "selector: {matchLabels: {app: a}}"
#define DEPLOYMENT_OF(spec) OBJECT("apps/v1", "Deployment", "", "spec: {" spec "}")
#define DEPLOYMENT(rest) DEPLOYMENT_OF(SELECTOR ", " TEMPLATE ", " rest)
#define SET(rest)                                                                                  \
    OBJECT("apps/v1", "StatefulSet", "", "spec: {" SELECTOR ", " TEMPLATE ", " rest "}")
#define EXPRESSION(rest)                                                                           \
    DEPLOYMENT_OF("selector: {matchLabels: {app: a}, matchExpressions: [{" rest "}]}, " TEMPLATE)
#define JOB_SPEC(rest) "spec: {" TEMPLATE_OF("", CONTAINERS ", restartPolicy: Never") ", " rest "}"
#define JOB(rest) OBJECT("batch/v1", "Job", "", JOB_SPEC(rest))
#define CRON_JOB(rest)                                                                             \
    OBJECT("batch/v1", "CronJob", "", "spec: {jobTemplate: {" JOB_SPEC("") "}, " rest "}")
#define CONTROLLER(rest) OBJECT("v1", "ReplicationController", "", "spec: {" TEMPLATE ", " rest "}")
#define REPLICAS(kind, rest) OBJECT("apps/v1", kind, "", "spec: {" SELECTOR ", " rest "}")

#define SLICE_OF(rest)                                                                             \
    OBJECT("discovery.k8s.io/v1", "EndpointSlice", ", labels: {kubernetes.io/service-name: s}",    \
           rest)
#define SLICE(rest) SLICE_OF("addressType: IPv4\n" rest)
#define ENDPOINT(rest) SLICE("endpoints: [{addresses: [10.0.0.1], " rest "}]")
#define SLICE_PORTS(rest) SLICE("ports: [{name: x, port: 80}" rest "]\nendpoints: []")
#define SUBSET(rest) OBJECT("v1", "Endpoints", "", "subsets: [{" rest "}]")
#define IP "addresses: [{ip: 10.0.0.1}], "

static const struct fault {
    enum outcome outcome;
    const char *faulty, *clean, *rule, *word;
} faults[] = {
    /* what decides where a Service's name leads */
    {BREAKS, OBJECT("v1", "Service", "", "spec: []"), NULL, "wrong-type", "spec"},
    {BREAKS, SERVICE("type: Clusterip"), NULL, "bad-value", "type"},
    {BREAKS, SERVICE("type: 1"), NULL, "wrong-type", "type"},
    {BREAKS, SERVICE("clusterIP: 10.0.0.256"), NULL, "invalid-address", "clusterIP"},
    {BREAKS, SERVICE("clusterIP: 10"), NULL, "wrong-type", "quote it"},
    {BREAKS, SERVICE("clusterIP: [None]"), NULL, "wrong-type", "clusterIP"},
    {BREAKS, SERVICE("clusterIPs: [10.0.0.1, x]"), NULL, "invalid-address", "clusterIPs"},
    {BREAKS, SERVICE("clusterIPs: None"), NULL, "wrong-type", "clusterIPs"},
    {BREAKS, SERVICE_OF("", "selector: [a]"), NULL, "wrong-type", "selector"},
    {BREAKS, SERVICE_OF("", "selector: {a: 1}"), NULL, "wrong-type", "quote it"},
    {BREAKS, SERVICE_OF("", "selector: {a: yes}"), NULL, "wrong-type", "quote it"},
    {BREAKS, EXTERNAL(""), NULL, "bad-value", "externalName"},
    {BREAKS, EXTERNAL("externalName: ."), NULL, "bad-value", "externalName"},
    {BREAKS, EXTERNAL("externalName: 7"), NULL, "wrong-type", "externalName"},
    {BREAKS, SERVICE_META("annotations: {kubesvc.io/addresses: '10.0.0.1,,x'}"), NULL,
     "invalid-address", "kubesvc.io/addresses"},
    {BREAKS, SERVICE_META("annotations: {kubesvc.io/addresses: 10}"), NULL, "wrong-type",
     "kubesvc.io/addresses"},

    /* ports */
    {PART, SERVICE_OF("", "clusterIP: None, ports: [{port: 0}]"), SERVICE_OF("", "clusterIP: None"),
     "bad-value", "1 to 65535"},
    {PART, SECOND_PORT("port: 65536"), FIRST_PORT, "bad-value", "65535"},
    {PART, SECOND_PORT("port: -1"), FIRST_PORT, "bad-value", "65535"},
    {PART, SECOND_PORT("port: '81'"), FIRST_PORT, "wrong-type", "without quotes"},
    {PART, SECOND_PORT("port: http"), FIRST_PORT, "wrong-type", "whole number"},
    {PART, SECOND_PORT("port: [81]"), FIRST_PORT, "wrong-type", "port"},
    {PART, SECOND_PORT("targetPort: 81"), FIRST_PORT, "missing-field", "spec.ports.port"},
    {PART, SECOND_PORT("port: 81, targetPort: 8.5"), FIRST_PORT, "wrong-type", "targetPort"},
    {PART, SECOND_PORT("port: 81, targetPort: [x]"), FIRST_PORT, "wrong-type", "targetPort"},
    {PART, SECOND_PORT("port: 81, targetPort: 70000"), FIRST_PORT, "bad-value", "targetPort"},
    {PART, SECOND_PORT("port: 81, protocol: tcp"), FIRST_PORT, "bad-value", "protocol"},
    {PART, SECOND_PORT("port: 81, protocol: 6"), FIRST_PORT, "wrong-type", "protocol"},
    {PART, SERVICE_PORTS("{name: x, port: 80}, {name: 81, port: 81}"), FIRST_PORT, "wrong-type",
     "name"},
    {PART, SERVICE_PORTS("{name: x, port: 80}, 81"), FIRST_PORT, "wrong-type", "ports"},
    {PART, SERVICE_OF("", "clusterIP: None, ports: 80"), SERVICE_OF("", "clusterIP: None"),
     "wrong-type", "ports"},
    {KEPT, SERVICE_PORTS("{port: 80, nodePort: 70000}"), SERVICE_PORTS("{port: 80}"), "bad-value",
     "nodePort"},
    {KEPT, SERVICE_PORTS("{port: 80, nodePort: x}"), SERVICE_PORTS("{port: 80}"), "wrong-type",
     "nodePort"},
    {KEPT, SERVICE_PORTS("{port: 80}, {port: 81}"), NULL, "unnamed-port", "name"},
    {KEPT, SECOND_PORT("port: 80"), NULL, "duplicate-port", "number"},
    {KEPT, SERVICE_PORTS("{name: x, port: 80}, {name: x, port: 81}"), NULL, "duplicate-port",
     "name"},
    {KEPT, SERVICE_PORTS("{name: Http, port: 80}"), NULL, "invalid-name", "port"},
    {KEPT, SERVICE_OF("", "selector: {app: a}"), NULL, "no-ports", "ports"},
    {KEPT, OBJECT("v1", "Service", "", "spec:"), NULL, "no-ports", "ports"},
    {KEPT, OBJECT("v1", "Service", "", ""), NULL, "no-ports", "ports"},

    /* what has nothing to do with names */
    {KEPT, SERVICE("sessionAffinity: Client"), SERVICE(""), "bad-value", "sessionAffinity"},
    {KEPT, SERVICE("sessionAffinity: {}"), SERVICE(""), "wrong-type", "sessionAffinity"},
    {KEPT, SERVICE("sessionAffinityConfig: 10"), SERVICE(""), "wrong-type", "Config"},
    {KEPT, SERVICE("sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}"), SERVICE(""),
     "bad-value", "timeoutSeconds"},
    {KEPT, SERVICE("sessionAffinityConfig: {clientIP: {timeoutSeconds: '1'}}"), SERVICE(""),
     "wrong-type", "timeoutSeconds"},
    {KEPT, SERVICE("externalTrafficPolicy: local"), SERVICE(""), "bad-value", "external"},
    {KEPT, SERVICE("internalTrafficPolicy: 1"), SERVICE(""), "wrong-type", "internal"},
    {KEPT, SERVICE("healthCheckNodePort: high"), SERVICE(""), "wrong-type", "healthCheck"},
    {KEPT, SERVICE("externalIPs: 192.0.2.1"), SERVICE(""), "wrong-type", "externalIPs"},
    {KEPT, SERVICE("externalIPs: [1]"), SERVICE(""), "wrong-type", "externalIPs"},
    {KEPT, SERVICE("loadBalancerSourceRanges: {}"), SERVICE(""), "wrong-type", "SourceRanges"},
    {KEPT, SERVICE("allocateLoadBalancerNodePorts: 'no'"), SERVICE(""), "wrong-type", "allocate"},
    {PART, SERVICE("publishNotReadyAddresses: 'yes'"), SERVICE(""), "wrong-type", "true or false"},
    {PART, SERVICE("ipFamilies: [IPv5]"), SERVICE(""), "bad-value", "ipFamilies"},
    {PART, SERVICE("ipFamilies: [IPv4, IPv4]"), SERVICE("ipFamilies: [IPv4]"), "bad-value",
     "ipFamilies"},
    {PART, SERVICE("ipFamilies: IPv4"), SERVICE(""), "wrong-type", "ipFamilies"},
    {PART, SERVICE("ipFamilyPolicy: DualStack"), SERVICE(""), "bad-value", "ipFamilyPolicy"},
    {PART, SERVICE("ipFamilyPolicy: 2"), SERVICE(""), "wrong-type", "ipFamilyPolicy"},
    {KEPT, SERVICE_META("annotations: {other: 1}"), SERVICE(""), "wrong-type", "annotations"},
    {PART, SERVICE_META("annotations: [x]"), SERVICE(""), "wrong-type", "annotations"},
    {KEPT, SERVICE_META("labels: {app: 'a b'}"), NULL, "invalid-label", "labels"},
    {KEPT, SERVICE_META("labels: {-app: a}"), NULL, "invalid-label", "labels"},
    {KEPT, SERVICE_META("labels: {version: 1.5}"), NULL, "wrong-type", "labels"},
    {KEPT, SERVICE_META("labels: x"), SERVICE(""), "wrong-type", "labels"},
    {PART, SERVICE_META("uid: 7"), SERVICE(""), "wrong-type", "uid"},
    {KEPT, SERVICE_META("finalizers: x"), SERVICE(""), "wrong-type", "finalizers"},
    {KEPT, OBJECT("v1", "Service", "", "spec: {ports: [{port: 80}]}\nstatus: ready"),
     SERVICE_OF("", "ports: [{port: 80}]"), "wrong-type", "status"},

    /* fields that do not go together */
    {KEPT, SERVICE("type: NodePort, clusterIP: None"), NULL, "headless-type", "NodePort"},
    {KEPT, SERVICE("type: LoadBalancer, clusterIPs: [None], clusterIP: None"), NULL,
     "headless-type", "LoadBalancer"},
    {KEPT, SERVICE("clusterIP: 10.0.0.1, clusterIPs: [10.0.0.2]"), NULL, "address-mismatch",
     "clusterIP"},
    {KEPT, SERVICE("clusterIPs: [10.0.0.2]"), NULL, "address-mismatch", "clusterIP"},
    {KEPT, SERVICE("clusterIP: None, clusterIPs: [None, 10.0.0.1]"), NULL, "address-mismatch",
     "only one"},
    {KEPT,
     SERVICE("ipFamilyPolicy: PreferDualStack, clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, "
             "10.0.0.2]"),
     NULL, "wrong-family", "one family"},
    {KEPT,
     SERVICE("ipFamilyPolicy: PreferDualStack, clusterIP: 10.0.0.1, clusterIPs: [" TWO
             ", 10.0.0.2]"),
     NULL, "wrong-family", "more than two"},
    {KEPT, SERVICE("clusterIP: 10.0.0.1, ipFamilies: [IPv6]"), NULL, "wrong-family", "IPv6"},
    {KEPT, SERVICE("clusterIP: 10.0.0.1, clusterIPs: [" TWO "]"), NULL, "family-policy",
     "ipFamilyPolicy"},
    {KEPT, SERVICE("ipFamilyPolicy: SingleStack, ipFamilies: [IPv4, IPv6]"), NULL, "family-policy",
     "ipFamilyPolicy"},
    {KEPT, EXTERNAL("externalName: a.example, clusterIP: None"), NULL, "forbidden-field",
     "clusterIP"},
    {KEPT, EXTERNAL("externalName: a.example, ipFamilies: [IPv4]"), NULL, "forbidden-field",
     "ipFamilies"},
    {KEPT, EXTERNAL("externalName: a_b.example"), NULL, "external-name", "externalName"},
    {KEPT, SERVICE_OF("", "ports: [{port: 80}], selector: {app: 'a b'}"), NULL, "invalid-label",
     "selector"},

    /* Pods */
    {BREAKS, OBJECT("v1", "Pod", "", "spec: []"), NULL, "wrong-type", "spec"},
    {BREAKS, OBJECT("v1", "Pod", "", "status: []"), NULL, "wrong-type", "status"},
    {BREAKS, POD_STATUS("podIP: x"), NULL, "invalid-address", "podIP"},
    {BREAKS, POD_STATUS("podIPs: [{ip: x}]"), NULL, "invalid-address", "ip"},
    {BREAKS, POD_STATUS("podIPs: 10.0.0.1"), NULL, "wrong-type", "podIPs"},
    {BREAKS, POD_STATUS("conditions: [{type: Ready, status: true}]"), NULL, "wrong-type", "status"},
    {BREAKS, POD_META("annotations: {kubesvc.io/addresses: x}"), NULL, "invalid-address",
     "kubesvc.io/addresses"},
    {PART, POD_STATUS(STATUS ", phase: 1"), POD_STATUS(STATUS), "wrong-type", "phase"},
    {PART, POD_META("deletionTimestamp: {}"), POD(""), "wrong-type", "deletionTimestamp"},
    {PART, POD_META("ownerReferences: x"), POD(""), "wrong-type", "ownerReferences"},
    {PART, POD_META("ownerReferences: [{kind: 1, name: x}]"), POD(""), "wrong-type", "kind"},
    {PART, POD_META("ownerReferences: [{kind: Job}]"), POD(""), "missing-field",
     "ownerReferences.name"},
    {PART, OBJECT("v1", "Pod", ", labels: {app: a, b: 1.5}", "spec: {" CONTAINERS "}"),
     OBJECT("v1", "Pod", ", labels: {app: a}", "spec: {" CONTAINERS "}"), "wrong-type", "labels"},
    {PART, POD("hostname: a.b"), POD(""), "invalid-name", "hostname"},
    {PART, POD("hostname: 1"), POD(""), "wrong-type", "hostname"},
    {PART, POD("subdomain: A"), POD(""), "invalid-name", "subdomain"},
    {PART, POD("hostNetwork: 'true'"), POD(""), "wrong-type", "hostNetwork"},
    {KEPT, POD("affinity: none"), POD(""), "wrong-type", "affinity"},
    {KEPT, POD("nodeSelector: {disk: 1}"), POD(""), "wrong-type", "nodeSelector"},
    {KEPT, POD("tolerations: {}"), POD(""), "wrong-type", "tolerations"},
    {KEPT, POD("priority: high"), POD(""), "wrong-type", "priority"},
    {KEPT, POD("dnsPolicy: Cluster"), POD(""), "bad-value", "dnsPolicy"},
    {KEPT, POD("restartPolicy: Sometimes"), POD(""), "bad-value", "restartPolicy"},
    {KEPT, POD("volumes: x"), POD(""), "wrong-type", "volumes"},
    {KEPT, CONTAINER("livenessProbe: /healthz"), CONTAINER(""), "wrong-type", "livenessProbe"},
    {KEPT, CONTAINER("readinessProbe: []"), CONTAINER(""), "wrong-type", "readinessProbe"},
    {KEPT, CONTAINER("resources: x"), CONTAINER(""), "wrong-type", "resources"},
    {KEPT, CONTAINER("args: [8080]"), CONTAINER(""), "wrong-type", "args"},
    {KEPT, CONTAINER("command: run"), CONTAINER(""), "wrong-type", "command"},
    {KEPT, CONTAINER("imagePullPolicy: always"), CONTAINER(""), "bad-value", "imagePullPolicy"},
    {KEPT, CONTAINER("env: [{name: A, value: 1}]"), CONTAINER(""), "wrong-type", "env.value"},
    {KEPT, CONTAINER("env: [{value: x}]"), CONTAINER(""), "missing-field", "env.name"},
    {KEPT, POD_OF("", "containers: []", STATUS), NULL, "missing-field", "containers"},
    {KEPT, OBJECT("v1", "Pod", "", ""), NULL, "missing-field", "spec is missing"},
    {KEPT, POD_OF("", "containers: [{name: c}]", STATUS), NULL, "missing-field", "image"},
    {KEPT, POD_OF("", "containers: [{image: i}]", STATUS), NULL, "missing-field", "name"},
    {KEPT, POD_OF("", "containers: [{name: C, image: i}]", STATUS), NULL, "invalid-name",
     "container"},
    {KEPT, POD_OF("", "containers: [{name: c, image: i}, {name: c, image: i}]", STATUS), NULL,
     "duplicate-container", "name"},
    {PART, POD_OF("", "containers: [{name: c, image: i}, x]", STATUS),
     POD_OF("", "containers: [{name: c, image: i}]", STATUS), "wrong-type", "containers"},
    {PART, POD_OF("", "containers: x", STATUS), POD_OF("", "containers: []", STATUS), "wrong-type",
     "containers"},
    {PART, CONTAINER_PORT("containerPort: 0"), CONTAINER_CLEAN, "bad-value", "65535"},
    {PART, CONTAINER_PORT("containerPort: '81'"), CONTAINER_CLEAN, "wrong-type", "containerPort"},
    {PART, CONTAINER_PORT("hostPort: 81"), CONTAINER_CLEAN, "missing-field", "containerPort"},
    {PART, CONTAINER_PORT("containerPort: 81, protocol: Tcp"), CONTAINER_CLEAN, "bad-value",
     "protocol"},
    {KEPT, CONTAINER("ports: [{containerPort: 81, hostPort: 70000}]"),
     CONTAINER("ports: [{containerPort: 81}]"), "bad-value", "hostPort"},
    {KEPT, CONTAINER("ports: [{containerPort: 81, name: much-too-long-a-name}]"), NULL,
     "invalid-name", "15"},
    {KEPT, CONTAINER("ports: [{containerPort: 81, name: a}, {containerPort: 82, name: a}]"), NULL,
     "duplicate-port", "name"},

    /* workloads */
    {BREAKS, DEPLOYMENT("replicas: -1"), NULL, "bad-value", "replicas"},
    {BREAKS, DEPLOYMENT("replicas: three"), NULL, "wrong-type", "replicas"},
    {BREAKS, DEPLOYMENT("replicas: '3'"), NULL, "wrong-type", "without quotes"},
    {BREAKS, DEPLOYMENT_OF("selector: [], " TEMPLATE), NULL, "wrong-type", "selector"},
    {BREAKS, DEPLOYMENT_OF("selector: {matchLabels: x}, " TEMPLATE), NULL, "wrong-type",
     "matchLabels"},
    {BREAKS, DEPLOYMENT_OF("selector: {matchLabels: {app: 1}}, " TEMPLATE), NULL, "wrong-type",
     "matchLabels"},
    {BREAKS, EXPRESSION("key: app"), NULL, "missing-field", "operator"},
    {BREAKS, EXPRESSION("key: app, operator: in"), NULL, "bad-value", "operator"},
    {BREAKS, EXPRESSION("key: app, operator: In, values: [1]"), NULL, "wrong-type", "values"},
    {BREAKS, DEPLOYMENT_OF(SELECTOR ", template: []"), NULL, "wrong-type", "template"},
    {BREAKS, DEPLOYMENT_OF(SELECTOR ", template: {metadata: x}"), NULL, "wrong-type", "metadata"},
    {BREAKS, OBJECT("apps/v1", "Deployment", "", "spec: x"), NULL, "wrong-type", "spec"},
    {BREAKS, SET("ordinals: {start: -1}"), NULL, "bad-value", "start"},
    {BREAKS, SET("ordinals: 1"), NULL, "wrong-type", "ordinals"},
    {BREAKS, JOB("parallelism: x"), NULL, "wrong-type", "parallelism"},
    {BREAKS, JOB("completions: -1"), NULL, "bad-value", "completions"},
    {BREAKS, JOB("completionMode: indexed"), NULL, "bad-value", "completionMode"},
    {BREAKS, JOB("suspend: 'no'"), NULL, "wrong-type", "suspend"},
    {PART, SET("serviceName: a.b"), SET(""), "invalid-name", "serviceName"},
    {PART, SET("serviceName: 1"), SET(""), "wrong-type", "serviceName"},
    {PART, DEPLOYMENT_OF(SELECTOR ", " TEMPLATE_OF("", CONTAINERS ", hostname: A")), DEPLOYMENT(""),
     "invalid-name", "hostname"},
    {PART,
     DEPLOYMENT_OF(SELECTOR ", template: {metadata: {labels: {app: a, b: 1}}, spec: {" CONTAINERS
                            "}}"),
     DEPLOYMENT(""), "wrong-type", "labels"},
    {KEPT, DEPLOYMENT("strategy: Recreate"), DEPLOYMENT(""), "wrong-type", "strategy"},
    {KEPT, DEPLOYMENT("minReadySeconds: soon"), DEPLOYMENT(""), "wrong-type", "minReadySeconds"},
    {KEPT, DEPLOYMENT("paused: 1"), DEPLOYMENT(""), "wrong-type", "paused"},
    {KEPT, SET("podManagementPolicy: parallel"), SET(""), "bad-value", "podManagementPolicy"},
    {KEPT, SET("volumeClaimTemplates: {}"), SET(""), "wrong-type", "volumeClaimTemplates"},
    {KEPT, JOB("backoffLimit: -1"), JOB(""), "bad-value", "backoffLimit"},
    {KEPT, DEPLOYMENT_OF(TEMPLATE), NULL, "no-selector", "selector"},
    {KEPT, DEPLOYMENT_OF("selector: {}, " TEMPLATE), NULL, "no-selector", "selector"},
    {KEPT, DEPLOYMENT_OF(SELECTOR), NULL, "missing-field", "spec.template is missing"},
    {KEPT, OBJECT("apps/v1", "Deployment", "", ""), NULL, "missing-field", "spec is missing"},
    {KEPT, DEPLOYMENT_OF("selector: {matchLabels: {app: b}}, " TEMPLATE), NULL, "selector-mismatch",
     "template"},
    {KEPT, REPLICAS("ReplicaSet", "replicas: 1"), NULL, "missing-field", "template"},
    {KEPT, REPLICAS("DaemonSet", "minReadySeconds: 1"), NULL, "missing-field", "template"},
    {KEPT, OBJECT("v1", "ReplicationController", "", "spec: {replicas: 1}"), NULL, "missing-field",
     "template"},
    {KEPT, CONTROLLER("selector: {app: b}"), NULL, "selector-mismatch", "template"},
    {KEPT, DEPLOYMENT_OF(SELECTOR ", " TEMPLATE_OF("", CONTAINERS ", restartPolicy: Never")), NULL,
     "restart-policy", "Always"},
    {KEPT, OBJECT("batch/v1", "Job", "", "spec: {" TEMPLATE "}"), NULL, "restart-policy",
     "OnFailure"},
    {KEPT, OBJECT("batch/v1", "Job", "", "spec: {parallelism: 1}"), NULL, "missing-field",
     "template"},
    {KEPT, CRON_JOB(""), NULL, "missing-field", "schedule"},
    {KEPT, OBJECT("batch/v1", "CronJob", "", "spec: {schedule: '* * * * *'}"), NULL,
     "missing-field", "jobTemplate"},

    /* EndpointSlices and Endpoints */
    {BREAKS, SLICE("endpoints: x"), NULL, "wrong-type", "endpoints"},
    {PART, SLICE("endpoints: [{addresses: [10.0.0.1]}, x]"), ENDPOINT(""), "wrong-type",
     "endpoints"},
    {PART, SLICE("endpoints: [{addresses: [10.0.0.1, x]}]"), ENDPOINT(""), "invalid-address",
     "address"},
    {PART, SLICE("endpoints: [{addresses: [10.0.0.1, 1]}]"), ENDPOINT(""), "wrong-type",
     "addresses"},
    {PART, SLICE("endpoints: [{addresses: 10.0.0.1}]"), SLICE("endpoints: [{addresses: []}]"),
     "wrong-type", "addresses"},
    {PART, ENDPOINT("hostname: A_b"), ENDPOINT(""), "invalid-name", "hostname"},
    {PART, ENDPOINT("conditions: {ready: 'no'}"), ENDPOINT(""), "wrong-type", "ready"},
    {PART, ENDPOINT("conditions: []"), ENDPOINT(""), "wrong-type", "conditions"},
    {PART, ENDPOINT("targetRef: x"), ENDPOINT(""), "wrong-type", "targetRef"},
    {KEPT, ENDPOINT("zone: 1"), ENDPOINT(""), "wrong-type", "zone"},
    {PART, SLICE_PORTS(", {name: w, port: 0}"), SLICE_PORTS(""), "bad-value", "port"},
    {PART, SLICE_PORTS(", {name: w, port: 81, protocol: x}"), SLICE_PORTS(""), "bad-value",
     "protocol"},
    {KEPT, SLICE_PORTS(", {name: x, port: 81}"), NULL, "duplicate-port", "name"},
    {KEPT, SLICE("endpoints: [{hostname: h}]"), NULL, "missing-field", "addresses"},
    {KEPT, SLICE_OF("endpoints: [{addresses: [10.0.0.1]}]"), NULL, "missing-field", "addressType"},
    {KEPT, SLICE_OF("addressType: ipv4\nendpoints: []"), NULL, "bad-value", "addressType"},
    {KEPT, SLICE("endpoints: [{addresses: ['fd00::1']}]"), NULL, "wrong-family", "IPv4"},
    {BREAKS, OBJECT("v1", "Endpoints", "", "subsets: {}"), NULL, "wrong-type", "subsets"},
    {PART, SUBSET("addresses: [{ip: 10.0.0.1}, {ip: x}]"), SUBSET(IP), "invalid-address",
     "address"},
    {PART, SUBSET("addresses: [{ip: 10.0.0.1}, {hostname: x}]"), SUBSET(IP), "missing-field", "ip"},
    {PART, SUBSET("addresses: [{ip: 10.0.0.1, hostname: A}]"), SUBSET(IP), "invalid-name",
     "hostname"},
    {PART, SUBSET(IP "notReadyAddresses: x"), SUBSET(IP), "wrong-type", "notReadyAddresses"},
    {PART, SUBSET(IP "ports: [{port: 0}]"), SUBSET(IP), "bad-value", "port"},
    {KEPT, SUBSET(IP "ports: [{port: 80}, {port: 81}]"), NULL, "unnamed-port", "name"},
    {KEPT, SUBSET("ports: [{port: 80}]"), NULL, "missing-field", "addresses"},
};

static const struct diagnostic *find(const struct manifest_text *manifest,
                                     const struct fault *fault)
{
    for (guint i = 0; i < manifest->diagnostics->len; i++) {
        const struct diagnostic *diagnostic = manifest->diagnostics->pdata[i];

        if (g_strcmp0(diagnostic->rule, fault->rule) == 0 &&
            strstr(diagnostic->message, fault->word))
            return diagnostic;
    }
    print_error("%s", fault->faulty);
    fail_msg("nothing of rule %s says %s", fault->rule, fault->word);
    return NULL;
}

static void assert_as_clean(const struct fault *fault, struct object *object)
{
    struct manifest_text clean;
    bool refused = object->refused;

    if (!fault->clean)
        return;
    clean = manifest_text_good(fault->clean);
    assert_int_equal(clean.objects->len, 1);
    object->refused = ((struct object *)clean.objects->pdata[0])->refused;
    if (!object_equal(object, clean.objects->pdata[0]))
        fail_msg("%snot as\n%s", fault->faulty, fault->clean);
    object->refused = refused;
    manifest_text_free(&clean);
}

static void one_fault(const struct fault *fault)
{
    static const char *const consequences[] = {
        [BREAKS] = "stays in effect", [PART] = "rejects", [KEPT] = "the API server rejects it"};
    struct manifest_text manifest = manifest_text_good(fault->faulty);
    const struct diagnostic *diagnostic = find(&manifest, fault);
    struct object *object = manifest.objects->pdata[0];
    g_autofree char *description = object_describe(object);

    assert_int_equal(manifest.objects->len, 1);
    assert_int_equal(diagnostic->severity, DIAGNOSTIC_ERROR);
    assert_true(diagnostic->line >= 1 && diagnostic->column >= 1);
    assert_string_equal(diagnostic->object, description);
    if (!strstr(diagnostic->message, consequences[fault->outcome]))
        fail_msg("%s%s", fault->faulty, diagnostic->message);
    assert_true(object->refused);
    if (object->broken != (fault->outcome == BREAKS))
        fail_msg("%s: %d", fault->faulty, object->broken);
    if (fault->outcome != BREAKS)
        assert_as_clean(fault, object);
    manifest_text_free(&manifest);
}

static void every_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
        one_fault(&faults[i]);
}

/* The other half: what all faults above were put into is accepted without a word. */
static void accepted(void **state)
{
    static const char *const texts[] = {
        SERVICE(""),
        FIRST_PORT,
        SECOND_PORT("port: 81, targetPort: web, nodePort: 30080, protocol: UDP"),
        SERVICE_PORTS("{name: a, port: 53, protocol: UDP}, {name: b, port: 53}"),
        SERVICE_OF("", "clusterIP: None"),
        SERVICE_OF("", "clusterIP: None, ipFamilies: [IPv6, IPv4]"),
        SERVICE("type: NodePort, sessionAffinity: ClientIP, sessionAffinityConfig: {}"),
        SERVICE("type: LoadBalancer, externalTrafficPolicy: Local, loadBalancerIP: 192.0.2.1"),
        SERVICE("ipFamilyPolicy: RequireDualStack, clusterIP: 10.0.0.1, clusterIPs: [" TWO "]"),
        SERVICE_META("labels: {app.kubernetes.io/name: A_b.c-d, empty: ''}"),
        EXTERNAL("externalName: a.example."),
        EXTERNAL("externalName: 192.0.2.1"),
        POD(""),
        CONTAINER_PORT("containerPort: 53, protocol: UDP, hostPort: 53"),
        POD_OF("", CONTAINERS ", restartPolicy: Never", ""),
        DEPLOYMENT("replicas: 0, strategy: {type: Recreate}"),
        EXPRESSION("key: app, operator: Exists"),
        SET("serviceName: a, ordinals: {start: 1}, podManagementPolicy: Parallel"),
        REPLICAS("ReplicaSet", TEMPLATE),
        REPLICAS("DaemonSet", TEMPLATE),
        CONTROLLER(""),
        CONTROLLER("selector: {app: a}"),
        OBJECT("extensions/v1beta1", "Deployment", "", "spec: {" TEMPLATE "}"),
        JOB("parallelism: 2, completions: 4, completionMode: Indexed"),
        CRON_JOB("schedule: '* * * * *'"),
        ENDPOINT("hostname: h, conditions: {ready: true}, targetRef: {kind: Pod, name: p}"),
        SLICE_PORTS(", {name: w, port: null}"),
        SUBSET(IP "notReadyAddresses: [{ip: 'fd00::1'}], ports: [{port: 80}]"),
        OBJECT("v1", "Endpoints", "", ""),
        OBJECT("v1", "Namespace", "", ""),
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct manifest_text manifest;

        assert_false(manifest_text_only(&manifest, texts[i])->refused);
        manifest_text_free(&manifest);
    }
}

/* The fault is reported with its position only, and once. */
static void said_once(void **state)
{
    struct manifest_text manifest =
        manifest_text_good("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n"
                           "  ports:\n  - port: '80'\n  sessionAffinity: x\n");

    (void)state;
    assert_int_equal(manifest.diagnostics->len, 2);
    assert_int_equal(((const struct diagnostic *)manifest.diagnostics->pdata[0])->line, 6);
    assert_int_equal(((const struct diagnostic *)manifest.diagnostics->pdata[1])->line, 7);
    manifest_text_free(&manifest);

    /* of a field that is there twice the last one counts */
    manifest = manifest_text_good("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n"
                                  "  ports: [{port: 80}]\n  sessionAffinity: x\n"
                                  "  sessionAffinity: None\n");
    assert_null(manifest_text_rule(&manifest, "bad-value"));
    manifest_text_free(&manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field),
        cmocka_unit_test(accepted),
        cmocka_unit_test(said_once),
    };

    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
