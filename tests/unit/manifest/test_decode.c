/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is read from Services, EndpointSlices and Endpoints, and the diagnostics about invalid
 * fields.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/manifest_text.h"

static void a_service(void **state)
{
    struct manifest_text manifest;
    const struct service *service = (struct service *)manifest_text_usable(
        &manifest, "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: moon\n"
                   "spec:\n  type: NodePort\n  clusterIP: 010.0.0.1\n"
                   "  clusterIPs: [10.0.0.1, 'FD00::1']\n  ipFamilies: [IPv4, IPv6]\n"
                   "  ipFamilyPolicy: RequireDualStack\n  publishNotReadyAddresses: yes\n"
                   "  selector: {app: web, empty: , tier: 'x'}\n  externalName: ignored.example\n"
                   "  ports:\n  - port: 80\n    targetPort: 8080\n  - {name: Dns, port: 0x35, "
                   "protocol: UDP, targetPort: dns, nodePort: 30053}\n"
                   "  - {name: q, port: 9, protocol: SCTP, targetPort: ''}\n"
                   "  unknown: [1, {2: 3}]\nstatus: {loadBalancer: {}}\n");

    (void)state;
    assert_string_equal(service->object.ns, "moon");
    assert_int_equal(service->type, SERVICE_NODE_PORT);
    assert_false(service->headless);
    assert_false(service->object.has_uid);
    assert_false(service->object.broken);
    assert_true(service->publish_not_ready);
    manifest_text_assert_addresses(&service->cluster_ips, "10.0.0.1 fd00::1");
    assert_int_equal(service->n_families, 2);
    assert_int_equal(service->families[0], 4);
    assert_int_equal(service->families[1], 6);
    assert_int_equal(service->family_policy, FAMILY_REQUIRE_DUAL);
    assert_int_equal(service->selector->n, 3);
    assert_string_equal(labels_get(service->selector, "app"), "web");
    assert_string_equal(labels_get(service->selector, "empty"), "");
    manifest_text_assert_ports(service->ports, "-/1 80 8080, Dns/2 53 dns0, q/3 9 0");
    assert_null(service->external_name);
    manifest_text_free(&manifest);
}

static void assert_affinity(const char *spec, uint32_t seconds)
{
    g_autofree char *text = g_strdup_printf("{apiVersion: v1, kind: Service, metadata: {name: a}, "
                                            "spec: {ports: [{port: 80}], %s}}",
                                            spec);
    struct manifest_text manifest;
    const struct service *service = (struct service *)manifest_text_usable(&manifest, text);

    assert_int_equal(service->affinity, seconds);
    manifest_text_free(&manifest);
}

static void session_affinity(void **state)
{
    (void)state;
    assert_affinity("type: ClusterIP", 0);
    assert_affinity("sessionAffinity: None", 0);
    assert_affinity("sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}", 0);
    assert_affinity("sessionAffinity: ClientIP", 10800);
    assert_affinity("sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {}}", 10800);
    assert_affinity("sessionAffinity: ClientIP, "
                    "sessionAffinityConfig: {clientIP: {timeoutSeconds: 86400}}",
                    86400);
    /* what an API server refuses has the default */
    assert_affinity("sessionAffinity: ClientIP, "
                    "sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}",
                    10800);
    assert_affinity("sessionAffinity: client", 0);
}

static void assert_cluster_ip(const char *spec, bool headless, const char *addresses)
{
    g_autofree char *text =
        g_strdup_printf("{apiVersion: v1, kind: Service, metadata: {name: a}, spec: %s}", spec);
    struct manifest_text manifest;
    const struct service *service = (struct service *)manifest_text_usable(&manifest, text);

    assert_int_equal(service->headless, headless);
    manifest_text_assert_addresses(&service->cluster_ips, addresses);
    manifest_text_free(&manifest);
}

/* Rule 1: the first of clusterIPs, else clusterIP. */
static void cluster_ips(void **state)
{
    (void)state;
    assert_cluster_ip("{clusterIP: None}", true, "");
    assert_cluster_ip("{clusterIP: 'None'}", true, "");
    assert_cluster_ip("{clusterIPs: [None]}", true, "");
    assert_cluster_ip("{clusterIP: None, clusterIPs: [None]}", true, "");
    assert_cluster_ip("{clusterIP: None, clusterIPs: [10.0.0.1]}", false, "10.0.0.1");
    assert_cluster_ip("{clusterIP: None, clusterIPs: []}", true, "");
    assert_cluster_ip("{clusterIP: 10.0.0.2, clusterIPs: [10.0.0.1]}", false, "10.0.0.1");
    assert_cluster_ip("{clusterIP: 10.0.0.2, clusterIPs: null}", false, "10.0.0.2");
    assert_cluster_ip("{clusterIP: 10.0.0.2, clusterIPs: ['']}", false, "10.0.0.2");
    assert_cluster_ip("{clusterIP: ''}", false, "");
    assert_cluster_ip("{clusterIP: ~}", false, "");
    assert_cluster_ip("{}", false, "");
    assert_cluster_ip("null", false, "");
    assert_cluster_ip("{clusterIP: '10::3'}", false, "10::3");
}

static void stated_addresses(void **state)
{
    struct manifest_text manifest;
    const struct service *service = (struct service *)manifest_text_usable(
        &manifest, "{apiVersion: v1, kind: Service, metadata: {name: a, uid: x, annotations: "
                   "{kubesvc.io/addresses: ' 10.0.0.9 ,fd00::9', other: x}}}");

    (void)state;
    manifest_text_assert_addresses(&service->stated, "10.0.0.9 fd00::9");
    assert_true(service->object.has_uid);
    manifest_text_free(&manifest);
    service = (struct service *)manifest_text_usable(
        &manifest, "{apiVersion: v1, kind: Service, metadata: {name: a, "
                   "annotations: {kubesvc.io/addresses: ''}}}");
    assert_int_equal(service->stated.n, 0);
    manifest_text_free(&manifest);
}

static void external_names(void **state)
{
    struct manifest_text manifest;
    const struct service *service = (struct service *)manifest_text_usable(
        &manifest, "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: "
                   "ExternalName, externalName: DB.example.com., clusterIP: None}}");

    (void)state;
    assert_int_equal(service->type, SERVICE_EXTERNAL_NAME);
    assert_string_equal(service->external_name, "DB.example.com");
    assert_null(service->selector);
    manifest_text_free(&manifest);
}

static void an_old_family(void **state)
{
    struct manifest_text manifest;
    const struct service *service = (struct service *)manifest_text_usable(
        &manifest, "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ipFamily: IPv6, "
                   "selector: {}}}");

    (void)state;
    assert_int_equal(service->n_families, 1);
    assert_int_equal(service->families[0], 6);
    assert_null(service->selector);
    manifest_text_free(&manifest);
}

static void a_slice(void **state)
{
    struct manifest_text manifest;
    const struct endpoint_slice *slice = (struct endpoint_slice *)manifest_text_usable(
        &manifest,
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: a-x1\n"
        "  labels: {kubernetes.io/service-name: a}\naddressType: IPv4\n"
        "ports: [{name: '', port: 80, protocol: TCP, appProtocol: http}, {name: any, port: null}]\n"
        "endpoints:\n"
        "- addresses: [10.0.0.1, 10.0.0.2]\n  hostname: h\n  conditions: {ready: false}\n"
        "  targetRef: {kind: Pod, name: a-0, namespace: x}\n"
        "- {addresses: [10.0.0.3], conditions: {ready: null, serving: false}}\n"
        "- {addresses: [10.0.0.4], conditions: {}, topology: {x: y}, targetRef: {kind: Node, name: "
        "node-1}}\n"
        "- {addresses: null, conditions: {terminating: true}}\n"
        "- {addresses: [10.0.0.5], conditions: {ready: false, serving: true, terminating: true}}\n"
        "- {addresses: [10.0.0.6], conditions: {ready: false, serving: false, terminating: "
        "true}}\n");
    const struct endpoint_subset *subset = slice->subsets;

    (void)state;
    assert_string_equal(slice->service, "a");
    assert_int_equal(slice->n_subsets, 1);
    manifest_text_assert_ports(subset->ports, "-/1 80 0, any/1 0 0");
    assert_int_equal(subset->n, 6);
    manifest_text_assert_addresses(&subset->endpoints[0].addresses, "10.0.0.1 10.0.0.2");
    assert_string_equal(subset->endpoints[0].hostname, "h");
    assert_string_equal(subset->endpoints[0].target, "a-0");
    assert_false(subset->endpoints[0].ready);
    assert_true(subset->endpoints[1].ready);
    assert_null(subset->endpoints[1].hostname);
    assert_true(subset->endpoints[2].ready);
    assert_true(subset->endpoints[0].is_pod);
    assert_string_equal(subset->endpoints[2].target, "node-1");
    assert_false(subset->endpoints[2].is_pod);
    assert_int_equal(subset->endpoints[3].addresses.n, 0);
    assert_false(subset->endpoints[1].terminating || subset->endpoints[2].terminating);
    assert_true(subset->endpoints[3].terminating); /* what is absent serves */
    assert_true(subset->endpoints[4].terminating);
    assert_false(subset->endpoints[5].terminating);
    manifest_text_free(&manifest);
}

static void odd_slices(void **state)
{
    struct manifest_text manifest;
    const struct endpoint_slice *slice = (struct endpoint_slice *)manifest_text_usable(
        &manifest, "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, "
                   "endpoints: null, ports: null}");

    (void)state;
    assert_null(slice->service);
    assert_int_equal(slice->subsets[0].n, 0);
    assert_null(slice->subsets[0].ports);
    manifest_text_free(&manifest);

    slice = (struct endpoint_slice *)manifest_text_usable(
        &manifest, "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, "
                   "addressType: FQDN, endpoints: [{addresses: [a.example]}]}");
    assert_int_equal(slice->subsets[0].n, 0);
    manifest_text_free(&manifest);
}

/* Rule 21. */
static void an_endpoints_object(void **state)
{
    struct manifest_text manifest = manifest_text_good(
        "apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\nsubsets:\n"
        "- addresses: [{ip: 10.0.0.1, hostname: pod-1}, {ip: this-is-not-an-ip, hostname: x},\n"
        "              {ip: 'fd00::1', targetRef: {kind: Pod, name: p}}]\n"
        "  notReadyAddresses: [{ip: 10.0.0.2}]\n  ports: [{port: 80}]\n"
        "- addresses: [{ip: 10.0.0.3}]\n- {}\n");
    const struct endpoint_slice *slice =
        (struct endpoint_slice *)manifest_text_find(&manifest, "Endpoints default/a");
    const struct diagnostic *dropped = manifest_text_rule(&manifest, "invalid-address");

    (void)state;
    assert_int_equal(dropped->severity, DIAGNOSTIC_ERROR);
    assert_int_equal(dropped->line, 5);
    assert_false(slice->object.broken);
    assert_string_equal(slice->service, "a");
    assert_false(slice->not_mirrored);
    assert_int_equal(slice->n_subsets, 2); /* of ports with addresses */
    assert_int_equal(slice->subsets[0].n, 3);
    manifest_text_assert_addresses(&slice->subsets[0].endpoints[0].addresses, "10.0.0.1");
    assert_string_equal(slice->subsets[0].endpoints[0].hostname, "pod-1");
    manifest_text_assert_addresses(&slice->subsets[0].endpoints[1].addresses, "fd00::1");
    assert_string_equal(slice->subsets[0].endpoints[1].target, "p");
    assert_false(slice->subsets[0].endpoints[2].ready);
    manifest_text_assert_ports(slice->subsets[0].ports, "-/1 80 0");
    assert_int_equal(slice->subsets[1].n, 1);
    assert_null(slice->subsets[1].ports);
    manifest_text_free(&manifest);
}

/* "10.0.0.1 a [-/1 80 0], !10.0.0.2 - []": a "!" before what is not ready. */
static void assert_subsets(const char *subsets, const char *expected)
{
    g_autofree char *text = g_strdup_printf(
        "{apiVersion: v1, kind: Endpoints, metadata: {name: a}, subsets: [%s]}", subsets);
    struct manifest_text manifest;
    const struct endpoint_slice *slice =
        (struct endpoint_slice *)manifest_text_usable(&manifest, text);
    g_autoptr(GString) found = g_string_new(NULL);

    for (uint32_t i = 0; i < slice->n_subsets; i++) {
        const struct endpoint_subset *subset = &slice->subsets[i];

        for (uint32_t j = 0; j < subset->n; j++) {
            const struct endpoint *endpoint = &subset->endpoints[j];
            char address[ADDRESS_TEXT_MAX];

            address_format(&endpoint->addresses.items[0], address);
            g_string_append_printf(found, "%s%s%s/%s", found->len > 0 ? " " : "",
                                   endpoint->ready ? "" : "!", address,
                                   endpoint->hostname ? endpoint->hostname : "-");
            for (uint32_t k = 0; subset->ports && k < subset->ports->n; k++)
                g_string_append_printf(found, ":%u", subset->ports->items[k].number);
        }
    }
    assert_string_equal(found->str, expected);
    manifest_text_free(&manifest);
}

/* Rule 21: of equal addresses, not ready wins, at each port, and the first hostname stays. */
static void repeated_addresses(void **state)
{
    g_autoptr(GString) many = g_string_new("{addresses: [{ip: 10.0.0.1}], ports: [");

    (void)state;
    assert_subsets("{addresses: [{ip: 10.0.0.1}], notReadyAddresses: [{ip: 10.0.0.1}]}",
                   "!10.0.0.1/-");
    assert_subsets("{notReadyAddresses: [{ip: 10.0.0.1}]}, {addresses: [{ip: 10.0.0.1}]}",
                   "!10.0.0.1/-");
    assert_subsets("{addresses: [{ip: 10.0.0.1, hostname: a}, {ip: 10.0.0.1, hostname: b}]}",
                   "10.0.0.1/a");
    assert_subsets("{addresses: [{ip: 10.0.0.1}], ports: [{port: 1}]}, "
                   "{addresses: [{ip: 10.0.0.1, hostname: b}, {ip: 10.0.0.2, hostname: b}], "
                   "ports: [{port: 2}]}",
                   "10.0.0.1/-:1:2 10.0.0.2/b:2");
    assert_subsets("{addresses: [{ip: 10.0.0.1}], ports: [{port: 1}, {port: 2}]}, "
                   "{notReadyAddresses: [{ip: 10.0.0.1}], ports: [{port: 2}, {port: 3}]}",
                   "10.0.0.1/-:1 !10.0.0.1/-:2:3");
    assert_subsets("{addresses: [{ip: 10.0.0.1}]}, "
                   "{notReadyAddresses: [{ip: 10.0.0.1}], ports: [{port: 2}]}",
                   "10.0.0.1/- !10.0.0.1/-:2");
    assert_subsets("{addresses: [{ip: 10.0.0.1, targetRef: {uid: a}}, {ip: 10.0.0.1}]}, "
                   "{notReadyAddresses: [{ip: 10.0.0.1, targetRef: {uid: b}}]}",
                   "10.0.0.1/- 10.0.0.1/- !10.0.0.1/-");
    assert_subsets("{addresses: [{ip: 010.0.0.1}, {ip: '::ffff:10.0.0.1', hostname: b}]}",
                   "10.0.0.1/-");
    /* more ports than a cluster allows: the lists are taken whole */
    for (unsigned i = 0; i < 100; i++)
        g_string_append_printf(many, "%s{port: %u}", i > 0 ? ", " : "", 1000 + i);
    g_string_append(many, "]}, {notReadyAddresses: [{ip: 10.0.0.1}], ports: [{port: 1000}]}");
    g_autofree char *text = g_strdup_printf(
        "{apiVersion: v1, kind: Endpoints, metadata: {name: a}, subsets: [%s]}", many->str);
    struct manifest_text manifest;
    const struct endpoint_slice *slice =
        (struct endpoint_slice *)manifest_text_usable(&manifest, text);

    assert_int_equal(slice->n_subsets, 2);
    assert_int_equal(slice->subsets[0].ports->n, 100);
    assert_true(slice->subsets[0].endpoints[0].ready);
    assert_false(slice->subsets[1].endpoints[0].ready);
    manifest_text_free(&manifest);
}

static bool is_mirrored(const char *metadata)
{
    g_autofree char *text =
        g_strdup_printf("{apiVersion: v1, kind: Endpoints, metadata: {name: a, %s}}", metadata);
    struct manifest_text manifest;
    bool mirrored = !((struct endpoint_slice *)manifest_text_usable(&manifest, text))->not_mirrored;

    manifest_text_free(&manifest);
    return mirrored;
}

/* Rule 22. */
static void mirroring(void **state)
{
    (void)state;
    assert_true(is_mirrored("labels: {a: b}"));
    assert_false(is_mirrored("labels: {endpointslice.kubernetes.io/skip-mirror: 'true'}"));
    assert_true(is_mirrored("labels: {endpointslice.kubernetes.io/skip-mirror: 'false'}"));
    assert_false(is_mirrored("annotations: {control-plane.alpha.kubernetes.io/leader: '{}'}"));
}

static void ports_of_no_protocol(void **state)
{
    struct manifest_text manifest = manifest_text_good(
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 1, protocol: "
        "tcp}, {port: 2}]}}");
    const struct service *service = manifest.objects->pdata[0];

    (void)state;
    assert_false(service->object.broken);
    manifest_text_assert_ports(service->ports, "-/1 2 0");
    assert_non_null(manifest_text_rule(&manifest, "bad-value"));
    manifest_text_free(&manifest);
}

/* What a file holds besides the fields that are known is never repeated. */
static void secrets_are_not_quoted(void **state)
{
    static const char *const texts[] = {
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  k: s3cret\n  s3cret\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  k: \"s3cret\n",
        "{\"kind\": \"Secret\", \"data\": {\"s3cret\" \"s3cret\"}}",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {s3cret: *s3cret}\n",
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostname: 's3cret s3cret', "
         "containers: [{ports: [{containerPort: s3cret}]}]}\n"),
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct manifest_text manifest = manifest_text_all(texts[i], strlen(texts[i]));

        assert_true(manifest.diagnostics->len > 0);
        for (guint j = 0; j < manifest.diagnostics->len; j++) {
            g_autofree char *text = diagnostic_format(manifest.diagnostics->pdata[j], "x");

            assert_null(strstr(text, "s3cret"));
        }
        manifest_text_free(&manifest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_affinity),
        cmocka_unit_test(a_service),
        cmocka_unit_test(cluster_ips),
        cmocka_unit_test(stated_addresses),
        cmocka_unit_test(external_names),
        cmocka_unit_test(an_old_family),
        cmocka_unit_test(a_slice),
        cmocka_unit_test(odd_slices),
        cmocka_unit_test(an_endpoints_object),
        cmocka_unit_test(repeated_addresses),
        cmocka_unit_test(mirroring),
        cmocka_unit_test(ports_of_no_protocol),
        cmocka_unit_test(secrets_are_not_quoted),
    };

    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
