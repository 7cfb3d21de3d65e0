/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Objects: what they are called, when two say the same, what a workload selects.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/manifest_text.h"

static void descriptions(void **state)
{
    struct source *source = source_new("/a", 3, true, NULL);
    struct object *service = object_new(OBJECT_SERVICE, source, "moon", "regular-svc");
    struct object *ns = object_new(OBJECT_NAMESPACE, source, "moon", "moon");
    g_autofree char *a = object_describe(service), *b = object_describe(ns);

    (void)state;
    assert_string_equal(a, "Service moon/regular-svc");
    assert_string_equal(b, "Namespace moon");
    assert_string_equal(object_kind_name(OBJECT_CRON_JOB), "CronJob");
    assert_int_equal(source->references, 3);
    object_free(service);
    object_free(ns);
    object_free(NULL);
    assert_int_equal(source->references, 1);
    source_unref(source);
}

static void labels_of_dns(void **state)
{
    char name[70];

    (void)state;
    assert_true(dns_label_is_valid("a"));
    assert_true(dns_label_is_valid("1kubernetes"));
    assert_true(dns_label_is_valid("a--b"));
    assert_false(dns_label_is_valid(""));
    assert_false(dns_label_is_valid("-a"));
    assert_false(dns_label_is_valid("a-"));
    assert_false(dns_label_is_valid("A"));
    assert_false(dns_label_is_valid("a.b"));
    assert_false(dns_label_is_valid("a_b"));
    assert_false(dns_label_is_valid("\xc3\xa4"));
    memset(name, 'x', sizeof name);
    name[63] = '\0';
    assert_true(dns_label_is_valid(name));
    name[63] = 'x';
    name[64] = '\0';
    assert_false(dns_label_is_valid(name));
}

/* Each line is the same Service or pod or ... with one thing changed: all differ, and each equals
 * its own second reading. A field that object_equal does not know would be found here. */
static const char *const variants[][16] = {
    {
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: 10.0.0.1}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: 10.0.0.2}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: None}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a, uid: x}, spec: {clusterIP: None}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {selector: {a: b}}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80, name: "
        "x}]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80, "
        "targetPort: x}]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80, "
        "targetPort: 81}]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80, "
        "protocol: UDP}]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {publishNotReadyAddresses: "
        "true}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: ExternalName, "
        "externalName: x}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ipFamilies: [IPv6]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ipFamilyPolicy: "
        "PreferDualStack}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a, annotations: {kubesvc.io/addresses: "
        "10.0.0.1}}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: [broken]}}",
    },
    {
        "{apiVersion: v1, kind: Pod, metadata: {name: a}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {x: z}}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {hostname: h}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {subdomain: h}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {hostNetwork: true}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{ports: "
        "[{containerPort: 1}]}]}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {phase: Running}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {x: y}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {podIP: 10.0.0.1}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {podIPs: [{ip: 10.0.0.2}]}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {conditions: [{type: Ready, "
        "status: 'True'}]}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a, deletionTimestamp: x}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a, ownerReferences: [{kind: Job, name: x}]}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a, ownerReferences: [{kind: ReplicaSet, "
        "name: x}]}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: b}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}}",
    },
    {
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}}",
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a, labels: "
        "{kubernetes.io/service-name: s}}}",
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, endpoints: "
        "[{addresses: [10.0.0.1]}]}",
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, endpoints: "
        "[{addresses: [10.0.0.2]}]}",
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, endpoints: "
        "[{addresses: [10.0.0.1], hostname: h}]}",
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, endpoints: "
        "[{addresses: [10.0.0.1], targetRef: {kind: Pod, name: p}}]}",
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, endpoints: "
        "[{addresses: [10.0.0.1], conditions: {ready: false}}]}",
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, endpoints: "
        "[{addresses: [10.0.0.1], conditions: {ready: false, terminating: true}}]}",
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, endpoints: "
        "[{addresses: [10.0.0.1]}], ports: [{name: x, port: 1}]}",
        "{apiVersion: v1, kind: Endpoints, metadata: {name: a}}",
        "{apiVersion: v1, kind: Endpoints, metadata: {name: a, labels: "
        "{endpointslice.kubernetes.io/skip-mirror: 'true'}}}",
        "{apiVersion: v1, kind: Endpoints, metadata: {name: a}, subsets: [{addresses: [{ip: "
        "10.0.0.1}]}]}",
        "{apiVersion: v1, kind: Endpoints, metadata: {name: a}, subsets: [{notReadyAddresses: "
        "[{ip: 10.0.0.1}]}]}",
        "{apiVersion: v1, kind: Namespace, metadata: {name: a}}",
    },
    {
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}}",
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}",
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {replicas: 2}}",
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {serviceName: s}}",
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {ordinals: {start: "
        "1}}}",
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {selector: "
        "{matchLabels: {a: b}}}}",
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {selector: "
        "{matchExpressions: [{key: a, operator: Exists}]}}}",
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {selector: "
        "{matchExpressions: [{key: a, operator: In, values: [b]}]}}}",
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {selector: "
        "{matchExpressions: [{key: a, operator: In, values: [b, c]}]}}}",
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {template: {metadata: "
        "{labels: {a: b}}}}}",
        "{apiVersion: batch/v1, kind: Job, metadata: {name: a}}",
        "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {completionMode: Indexed}}",
        "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {suspend: true}}",
        "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: a, ownerReferences: [{kind: "
        "Deployment, name: d}]}}",
    },
    {
        "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {suspend: true}}",
        "{apiVersion: batch/v1, kind: Job, metadata: {name: a, annotations: {helm.sh/hook: h}}}",
        "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, status: {succeeded: 1}}",
        "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, status: {completionTime: t}}",
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}}",
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {replicas: 1}}",
        "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}}",
        "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: "
        "{minReplicas: 2}}",
        "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: "
        "{scaleTargetRef: {kind: Deployment, name: d}}}",
        "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: "
        "{scaleTargetRef: {kind: StatefulSet, name: d}}}",
    },
};

static void equality(void **state)
{
    (void)state;
    for (size_t group = 0; group < G_N_ELEMENTS(variants); group++) {
        struct manifest_text first[16], second[16];
        unsigned n = 0;

        for (; n < 16 && variants[group][n]; n++) {
            first[n] = manifest_text_good(variants[group][n]);
            second[n] = manifest_text_good(variants[group][n]);
            assert_int_equal(first[n].objects->len, 1);
        }
        for (unsigned i = 0; i < n; i++) {
            for (unsigned j = 0; j < n; j++) {
                if (object_equal(first[i].objects->pdata[0], second[j].objects->pdata[0]) !=
                    (i == j))
                    fail_msg("%s and %s", variants[group][i], variants[group][j]);
            }
        }
        for (unsigned i = 0; i < n; i++) {
            manifest_text_free(&first[i]);
            manifest_text_free(&second[i]);
        }
    }
}

static bool selects(const char *selector, const char *labels)
{
    g_autofree char *text = g_strdup_printf(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: %s, "
        "template: {metadata: {labels: %s}}}}",
        selector, labels);
    struct manifest_text manifest = manifest_text_good(text);
    const struct workload *workload = manifest.objects->pdata[0];
    bool result = workload_selects(workload, workload->template.labels);

    assert_false(workload->object.broken);
    manifest_text_free(&manifest);
    return result;
}

static void selection(void **state)
{
    (void)state;
    assert_true(selects("{matchLabels: {a: b}}", "{a: b, c: d}"));
    assert_false(selects("{matchLabels: {a: b}}", "{a: c}"));
    assert_false(selects("{}", "{a: b}"));
    assert_false(selects("null", "{a: b}"));
    assert_true(selects("{matchExpressions: [{key: a, operator: In, values: [x, b]}]}", "{a: b}"));
    assert_false(selects("{matchExpressions: [{key: a, operator: In, values: [x]}]}", "{a: b}"));
    assert_false(selects("{matchExpressions: [{key: a, operator: In, values: [b]}]}", "{c: b}"));
    assert_true(selects("{matchExpressions: [{key: a, operator: NotIn, values: [x]}]}", "{a: b}"));
    assert_true(selects("{matchExpressions: [{key: a, operator: NotIn, values: [x]}]}", "{c: b}"));
    assert_false(selects("{matchExpressions: [{key: a, operator: NotIn, values: [b]}]}", "{a: b}"));
    assert_true(selects("{matchExpressions: [{key: a, operator: Exists}]}", "{a: b}"));
    assert_false(selects("{matchExpressions: [{key: a, operator: DoesNotExist}]}", "{a: b}"));
    assert_true(selects("{matchLabels: {a: b}, matchExpressions: [{key: x, operator: "
                        "DoesNotExist}]}",
                        "{a: b}"));
    assert_false(
        selects("{matchLabels: {a: b}, matchExpressions: [{key: x, operator: Exists}]}", "{a: b}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptions),
        cmocka_unit_test(labels_of_dns),
        cmocka_unit_test(equality),
        cmocka_unit_test(selection),
    };

    return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
