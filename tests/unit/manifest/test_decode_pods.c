/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is taken out of Pods and of the workloads that make them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/manifest_text.h"

static void a_pod(void **state)
{
    struct manifest_text manifest;
    const struct pod *pod = (struct pod *)manifest_text_usable(
        &manifest,
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web-0\n  labels: {app: web}\n"
        "  deletionTimestamp: 2026-01-01T00:00:00Z\n"
        "  annotations: {kubesvc.io/addresses: 10.9.9.9}\n"
        "  ownerReferences:\n  - {kind: ReplicaSet, name: other}\n"
        "  - {kind: StatefulSet, name: web, controller: true}\n"
        "spec:\n  hostname: web-0\n  subdomain: nginx\n  hostNetwork: true\n  containers:\n"
        "  - ports: [{containerPort: 80, name: http, hostPort: 80}]\n  - {name: two}\n"
        "  - ports: [{containerPort: 53, protocol: UDP}]\n  initContainers:\n"
        "  - ports: [{containerPort: 1, name: init}]\n"
        "  - ports: [{containerPort: 2, name: side}]\n    restartPolicy: Always\n"
        "status:\n  phase: Running\n  podIP: 10.0.0.1\n  podIPs: [{ip: 10.0.0.1}, {ip: "
        "'fd00::1'}]\n"
        "  conditions: [{type: Initialized, status: 'True'}, {type: Ready, status: 'True'}]\n");

    (void)state;
    assert_string_equal(labels_get(pod->spec->labels, "app"), "web");
    assert_string_equal(pod->spec->hostname, "web-0");
    assert_string_equal(pod->spec->subdomain, "nginx");
    assert_true(pod->spec->host_network);
    manifest_text_assert_ports(pod->spec->ports, "http/1 80 0, -/2 53 0, side/1 2 0");
    manifest_text_assert_addresses(&pod->spec->stated, "10.9.9.9");
    assert_int_equal(pod->owner.kind, OBJECT_STATEFUL_SET);
    assert_string_equal(pod->owner.name, "web");
    manifest_text_assert_addresses(&pod->addresses, "10.0.0.1 fd00::1");
    assert_true(pod->has_status);
    assert_true(pod->ready);
    assert_true(pod->deleting);
    assert_int_equal(pod->phase, POD_RUNNING);
    manifest_text_free(&manifest);
}

static void other_pods(void **state)
{
    struct manifest_text manifest;
    const struct pod *pod = (struct pod *)manifest_text_usable(
        &manifest, "{apiVersion: v1, kind: Pod, metadata: {name: a, "
                   "ownerReferences: [{kind: Node, name: n}]}, status: {}}");

    (void)state;
    assert_int_equal(pod->spec->labels->n, 0);
    assert_null(pod->spec->hostname);
    assert_int_equal(pod->owner.kind, OBJECT_KINDS);
    assert_null(pod->owner.name);
    assert_false(pod->has_status);
    assert_false(pod->ready);
    assert_int_equal(pod->phase, POD_PHASE_NONE);
    manifest_text_free(&manifest);

    pod = (struct pod *)manifest_text_usable(
        &manifest, "{apiVersion: v1, kind: Pod, metadata: {name: a.b, ownerReferences: "
                   "[{kind: Job, name: j}, {kind: Pod, name: p}]}, status: {podIP: "
                   "10.0.0.1, phase: Odd, conditions: [{type: Ready, status: Unknown}]}}");
    assert_int_equal(pod->owner.kind, OBJECT_JOB);
    manifest_text_assert_addresses(&pod->addresses, "10.0.0.1");
    assert_int_equal(pod->phase, POD_UNKNOWN);
    assert_true(pod->has_status);
    assert_false(pod->ready);
    manifest_text_free(&manifest);
}

static void a_stateful_set(void **state)
{
    struct manifest_text manifest;
    const struct workload *workload = (struct workload *)manifest_text_usable(
        &manifest, "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web}\nspec:\n"
                   "  replicas: 3\n  serviceName: nginx\n  ordinals: {start: 5}\n"
                   "  selector:\n    matchLabels: {app: web}\n    matchExpressions:\n"
                   "    - {key: tier, operator: In, values: [a, b]}\n"
                   "    - {key: x, operator: DoesNotExist}\n"
                   "  template:\n    metadata:\n      labels: {app: web, tier: a}\n"
                   "      annotations: {kubesvc.io/addresses: '10.0.0.1, 10.0.0.2'}\n"
                   "    spec: {subdomain: s, containers: [{ports: [{containerPort: 80}]}]}\n");

    (void)state;
    assert_int_equal(workload->replicas, 3);
    assert_int_equal(workload->ordinal, 5);
    assert_string_equal(workload->service_name, "nginx");
    assert_string_equal(labels_get(workload->selector, "app"), "web");
    assert_int_equal(workload->n_requirements, 2);
    assert_int_equal(workload->requirements[0].operator, REQUIREMENT_IN);
    assert_string_equal(workload->requirements[0].values[1], "b");
    assert_null(workload->requirements[0].values[2]);
    assert_int_equal(workload->template.labels->n, 2);
    manifest_text_assert_addresses(&workload->template.stated, "10.0.0.1 10.0.0.2");
    assert_string_equal(workload->template.subdomain, "s");
    manifest_text_assert_ports(workload->template.ports, "-/1 80 0");
    assert_int_equal(workload->owner.kind, OBJECT_KINDS);
    manifest_text_free(&manifest);
}

static unsigned replicas(const char *version, const char *kind, const char *rest)
{
    g_autofree char *text =
        g_strdup_printf("{apiVersion: %s, kind: %s, metadata: {name: a}, %s}", version, kind, rest);
    struct manifest_text manifest;
    unsigned n = ((struct workload *)manifest_text_usable(&manifest, text))->replicas;

    manifest_text_free(&manifest);
    return n;
}

static void counts(void **state)
{
    (void)state;
    assert_int_equal(replicas("apps/v1", "Deployment", "spec: {}"), 1);
    assert_int_equal(replicas("apps/v1", "Deployment", "spec: {replicas: null}"), 1);
    assert_int_equal(replicas("apps/v1", "Deployment", "spec: {replicas: 0}"), 0);
    assert_int_equal(replicas("apps/v1", "ReplicaSet", "spec: {replicas: 1_000}"), 1000);
    assert_int_equal(replicas("apps/v1", "DaemonSet", "spec: {replicas: 7}"), 1);
    assert_int_equal(replicas("v1", "ReplicationController", "spec: {replicas: 010}"), 8);
    assert_int_equal(replicas("batch/v1", "Job", "spec: {}"), 1);
    assert_int_equal(replicas("batch/v1", "Job", "spec: {parallelism: 4}"), 4);
    assert_int_equal(replicas("batch/v1", "Job", "spec: {parallelism: 4, completions: 2}"), 2);
    assert_int_equal(replicas("batch/v1", "Job", "spec: {suspend: true}"), 0);
    assert_int_equal(replicas("batch/v1", "Job", "status: {completionTime: x}"), 0);
    assert_int_equal(
        replicas("batch/v1", "Job", "status: {conditions: [{type: Failed, status: 'True'}]}"), 0);
    assert_int_equal(
        replicas("batch/v1", "Job", "status: {conditions: [{type: Complete, status: 'False'}]}"),
        1);
    assert_int_equal(replicas("batch/v1", "CronJob", "spec: {jobTemplate: {spec: {}}}"), 0);
}

static unsigned job_replicas(const char *spec, const char *status)
{
    g_autofree char *rest = g_strdup_printf("spec: {%s}, status: {%s}", spec, status);
    return replicas("batch/v1", "Job", rest);
}

/* As many pods as completions are left, but no more than run at a time. */
static void completions(void **state)
{
    (void)state;
    assert_int_equal(job_replicas("", "succeeded: 1"), 0);
    assert_int_equal(job_replicas("completions: 9, parallelism: 3", "succeeded: 4"), 3);
    assert_int_equal(job_replicas("completions: 9, parallelism: 3", "succeeded: 7"), 2);
    assert_int_equal(job_replicas("completions: 9, parallelism: 3", "succeeded: 9"), 0);
    assert_int_equal(job_replicas("completions: 9, parallelism: 3", "succeeded: 12"), 0);
    assert_int_equal(job_replicas("completions: 0", ""), 0);
    assert_int_equal(job_replicas("parallelism: 3", "active: 1"), 3);
    assert_int_equal(job_replicas("parallelism: 3", "succeeded: 1, active: 2"), 2);
    assert_int_equal(job_replicas("parallelism: 3", "succeeded: 1"), 0);
    assert_int_equal(job_replicas("parallelism: 0", ""), 0);
}

static void assert_idle(const char *rest, enum job_idle idle)
{
    g_autofree char *text =
        g_strdup_printf("{apiVersion: batch/v1, kind: Job, metadata: {name: a, %s}", rest);
    struct manifest_text manifest;
    const struct workload *job = (struct workload *)manifest_text_usable(&manifest, text);

    assert_int_equal(job->idle, idle);
    assert_int_equal(job->replicas, idle == JOB_ACTIVE ? 1 : 0);
    manifest_text_free(&manifest);
}

static void jobs_without_pods(void **state)
{
    (void)state;
    assert_idle("annotations: {a: b}}", JOB_ACTIVE);
    assert_idle("annotations: {helm.sh/hook: ''}}", JOB_ACTIVE);
    assert_idle("annotations: {helm.sh/hook: 'pre-install,pre-upgrade'}}", JOB_HOOK);
    assert_idle("annotations: null}, spec: {suspend: true}", JOB_SUSPENDED);
    assert_idle("}, status: {completionTime: t}", JOB_OVER);
    assert_idle("}, status: {succeeded: 1}", JOB_SATISFIED);
}

static void assert_scales(const char *spec, enum object_kind kind, const char *name, unsigned least)
{
    static const char *const versions[] = {"v1", "v2", "v2beta1", "v2beta2"};

    for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
        g_autofree char *text =
            g_strdup_printf("{apiVersion: autoscaling/%s, kind: HorizontalPodAutoscaler, "
                            "metadata: {name: a}, spec: {maxReplicas: 9, %s}}",
                            versions[i], spec);
        struct manifest_text manifest;
        const struct autoscaler *autoscaler =
            (struct autoscaler *)manifest_text_only(&manifest, text);

        assert_int_equal(autoscaler->object.kind, OBJECT_AUTOSCALER);
        assert_int_equal(autoscaler->target.kind, kind);
        assert_string_equal(autoscaler->target.name, name);
        assert_int_equal(autoscaler->replicas, least);
        manifest_text_free(&manifest);
    }
}

static void autoscalers(void **state)
{
    (void)state;
    assert_scales("minReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, "
                  "name: d}",
                  OBJECT_DEPLOYMENT, "d", 3);
    assert_scales("scaleTargetRef: {kind: StatefulSet, name: d}", OBJECT_STATEFUL_SET, "d", 1);
    assert_scales("minReplicas: 0, scaleTargetRef: {apiVersion: extensions/v1beta1, kind: "
                  "ReplicaSet, name: d}",
                  OBJECT_REPLICA_SET, "d", 1);
    assert_scales("scaleTargetRef: {apiVersion: v1, kind: ReplicationController, name: d}",
                  OBJECT_REPLICATION_CONTROLLER, "d", 1);
    assert_scales("minReplicas: 2000000, scaleTargetRef: {kind: Deployment, name: d}",
                  OBJECT_DEPLOYMENT, "d", REPLICAS_MAX);
    assert_scales("scaleTargetRef: {apiVersion: example.com/v1, kind: Deployment, name: d}",
                  OBJECT_KINDS, "d", 1);
    assert_scales("scaleTargetRef: {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: d}",
                  OBJECT_KINDS, "d", 1);
    assert_scales("scaleTargetRef: {apiVersion: apps/v1, kind: DaemonSet, name: d}", OBJECT_KINDS,
                  "d", 1);
}

static void many_replicas(void **state)
{
    struct manifest_text manifest = manifest_text_good(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 2000000}}");
    const struct workload *workload = manifest.objects->pdata[0];

    (void)state;
    assert_int_equal(workload->replicas, REPLICAS_MAX);
    assert_non_null(manifest_text_rule(&manifest, "too-many-replicas"));
    assert_false(workload->object.broken);
    manifest_text_free(&manifest);
}

static void templates_of_workloads(void **state)
{
    struct manifest_text manifest;
    const struct workload *workload = (struct workload *)manifest_text_usable(
        &manifest,
        "{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {jobTemplate: {spec: "
        "{template: {metadata: {labels: {a: b}}, spec: {hostname: h}}}}}}");

    (void)state;
    assert_string_equal(labels_get(workload->template.labels, "a"), "b");
    assert_string_equal(workload->template.hostname, "h");
    manifest_text_free(&manifest);

    workload = (struct workload *)manifest_text_usable(
        &manifest, "{apiVersion: batch/v1, kind: Job, metadata: {name: a, ownerReferences: [{kind: "
                   "CronJob, name: c, controller: true}]}, spec: {completionMode: Indexed}}");
    assert_true(workload->indexed);
    assert_int_equal(workload->owner.kind, OBJECT_CRON_JOB);
    assert_null(workload->selector);
    manifest_text_free(&manifest);
}

static const struct labels *selector_of(struct manifest_text *manifest, const char *version,
                                        const char *kind, const char *selector)
{
    g_autofree char *text = g_strdup_printf(
        "{apiVersion: %s, kind: %s, metadata: {name: a}, spec: {%s template: {metadata: {labels: "
        "{app: web}}}}}",
        version, kind, selector);

    return ((struct workload *)manifest_text_usable(manifest, text))->selector;
}

static void default_selectors(void **state)
{
    struct manifest_text manifest;

    (void)state;
    assert_non_null(selector_of(&manifest, "v1", "ReplicationController", ""));
    manifest_text_free(&manifest);
    assert_string_equal(labels_get(selector_of(&manifest, "v1", "ReplicationController",
                                               "selector: {app: other}, "),
                                   "app"),
                        "other");
    manifest_text_free(&manifest);
    assert_non_null(selector_of(&manifest, "extensions/v1beta1", "Deployment", ""));
    manifest_text_free(&manifest);
    assert_null(selector_of(&manifest, "apps/v1", "Deployment", ""));
    manifest_text_free(&manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pod),
        cmocka_unit_test(other_pods),
        cmocka_unit_test(a_stateful_set),
        cmocka_unit_test(counts),
        cmocka_unit_test(completions),
        cmocka_unit_test(jobs_without_pods),
        cmocka_unit_test(autoscalers),
        cmocka_unit_test(many_replicas),
        cmocka_unit_test(templates_of_workloads),
        cmocka_unit_test(default_selectors),
    };

    return cmocka_run_group_tests_name("decode_pods", tests, NULL, NULL);
}
