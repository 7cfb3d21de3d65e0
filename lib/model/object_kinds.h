/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of objects that are read, one row each: the only list of them. From it are made the
 * enum and the descriptors of object.h, the choice of a decoder (lib/manifest/decode.h), what
 * `kubesvc check` takes for a slip of the pen, and what `kubesvc get` can list.
 *
 *     KIND(symbol, fields, structure, decoder, name, plural, short names, listed, apiVersions...)
 *
 *     symbol       OBJECT_symbol
 *     fields       fields_object in lib/manifest/schema.c: what its API knows
 *     structure    struct structure holds it; structure_clear, _fields_equal and _measure know its
 *                  members (object.c, object_equal.c, object_usage.c)
 *     decoder      decoder_decoder, of lib/manifest/decode_*.c
 *     name         as manifests have it; lower case: kubectl's singular
 *     plural       kubectl's
 *     short names  kubectl's, separated by blanks
 *     listed       the report of the daemon that lists it (cli/kinds.c); nothing: none does
 *     apiVersions  that are read, the current one first
 *
 * Workloads are the last ones, from Deployment on.
 */
#pragma once

/* clang-format off */
#define OBJECT_APPS "apps/v1", "apps/v1beta2", "apps/v1beta1", "extensions/v1beta1"
#define OBJECT_BATCH "batch/v1", "batch/v1beta1", "batch/v2alpha1"

#define OBJECT_KINDS_EACH(KIND) \
    KIND(SERVICE, service, service, service, \
         "Service", "services", "svc", services, "v1") \
    KIND(ENDPOINT_SLICE, slice, endpoint_slice, endpoint_slice, \
         "EndpointSlice", "endpointslices", "", endpoints, "discovery.k8s.io/v1", "discovery.k8s.io/v1beta1") \
    KIND(ENDPOINTS, endpoints, endpoint_slice, endpoints, \
         "Endpoints", "endpoints", "endpoint ep", endpoints, "v1") \
    KIND(POD, pod, pod, pod, \
         "Pod", "pods", "po", pods, "v1") \
    KIND(NAMESPACE, namespace, object, namespace, \
         "Namespace", "namespaces", "ns", namespaces, "v1") \
    KIND(AUTOSCALER, autoscaler, autoscaler, autoscaler, \
         "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", nothing, \
         "autoscaling/v2", "autoscaling/v1", "autoscaling/v2beta2", "autoscaling/v2beta1") \
    KIND(DEPLOYMENT, deployment, workload, workload, \
         "Deployment", "deployments", "deploy", workloads, OBJECT_APPS) \
    KIND(REPLICA_SET, replica_set, workload, workload, \
         "ReplicaSet", "replicasets", "rs", workloads, OBJECT_APPS) \
    KIND(REPLICATION_CONTROLLER, replication_controller, workload, workload, \
         "ReplicationController", "replicationcontrollers", "rc", workloads, "v1") \
    KIND(STATEFUL_SET, stateful_set, workload, workload, \
         "StatefulSet", "statefulsets", "sts", workloads, OBJECT_APPS) \
    KIND(DAEMON_SET, daemon_set, workload, workload, \
         "DaemonSet", "daemonsets", "ds", workloads, OBJECT_APPS) \
    KIND(JOB, job, workload, workload, \
         "Job", "jobs", "", workloads, OBJECT_BATCH, "extensions/v1beta1") \
    KIND(CRON_JOB, cron_job, workload, workload, \
         "CronJob", "cronjobs", "cj", workloads, OBJECT_BATCH)
/* clang-format on */
