/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The variables of Services, by the cases of kubelet's own test of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/service_variables.h"
#include "cli/value.h"

static GHashTable *variables;

static int setup(void **state)
{
    (void)state;
    variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    g_hash_table_unref(variables);
    return 0;
}

static void add(const char *line, const char *ns, bool links)
{
    yajl_val service = value_parse(line);
    assert_non_null(service);
    service_variables_add(variables, service, ns, links);
    yajl_tree_free(service);
}

static void expect(const char *const expected[][2], guint n)
{
    for (guint i = 0; i < n; i++) {
        const char *got = g_hash_table_lookup(variables, expected[i][0]);
        if (g_strcmp0(got, expected[i][1]) != 0)
            fail_msg("%s: %s", expected[i][0], got ? got : "absent");
    }
    assert_int_equal(g_hash_table_size(variables), n);
}

static void several_ports(void **state)
{
    static const char *const expected[][2] = {
        {"SUPER_DUPER_SERVICE_HOST", "9.8.7.6"},
        {"SUPER_DUPER_SERVICE_PORT", "8088"},
        {"SUPER_DUPER_SERVICE_PORT_U_D_P", "8083"},
        {"SUPER_DUPER_PORT", "tcp://9.8.7.6:8088"},
        {"SUPER_DUPER_PORT_8088_TCP", "tcp://9.8.7.6:8088"},
        {"SUPER_DUPER_PORT_8088_TCP_PROTO", "tcp"},
        {"SUPER_DUPER_PORT_8088_TCP_PORT", "8088"},
        {"SUPER_DUPER_PORT_8088_TCP_ADDR", "9.8.7.6"},
        {"SUPER_DUPER_PORT_8083_UDP", "udp://9.8.7.6:8083"},
        {"SUPER_DUPER_PORT_8083_UDP_PROTO", "udp"},
        {"SUPER_DUPER_PORT_8083_UDP_PORT", "8083"},
        {"SUPER_DUPER_PORT_8083_UDP_ADDR", "9.8.7.6"},
    };
    (void)state;
    add("{\"name\":\"super-duper\",\"namespace\":\"ns\",\"clusterIPs\":[\"9.8.7.6\",\"fd00::1\"],"
        "\"ports\":[{\"port\":8088},{\"name\":\"u-d-p\",\"port\":8083,\"protocol\":\"UDP\"}]}",
        "ns", true);
    expect(expected, G_N_ELEMENTS(expected));
}

static void brackets(void **state)
{
    static const char *const expected[][2] = {
        {"V6_SERVICE_HOST", "2001:db8::1"},     {"V6_SERVICE_PORT", "80"},
        {"V6_PORT", "tcp://[2001:db8::1]:80"},  {"V6_PORT_80_TCP", "tcp://[2001:db8::1]:80"},
        {"V6_PORT_80_TCP_PROTO", "tcp"},        {"V6_PORT_80_TCP_PORT", "80"},
        {"V6_PORT_80_TCP_ADDR", "2001:db8::1"},
    };
    (void)state;
    add("{\"name\":\"v6\",\"namespace\":\"ns\",\"clusterIPs\":[\"2001:db8::1\"],"
        "\"ports\":[{\"port\":80,\"protocol\":\"TCP\"}]}",
        "ns", true);
    expect(expected, G_N_ELEMENTS(expected));
}

static void of_which_services(void **state)
{
    static const char master[] = "{\"name\":\"kubernetes\",\"namespace\":\"default\","
                                 "\"clusterIPs\":[\"10.96.0.1\"],\"ports\":[]}";
    static const char *const expected[][2] = {{"KUBERNETES_SERVICE_HOST", "10.96.0.1"}};
    (void)state;
    add("{\"name\":\"a\",\"namespace\":\"ns\",\"headless\":true,\"clusterIPs\":[]}", "ns", true);
    add("{\"name\":\"b\",\"namespace\":\"ns\",\"clusterIPs\":[]}", "ns", true);
    add("{\"name\":\"c\",\"namespace\":\"other\",\"clusterIPs\":[\"9.9.9.9\"]}", "ns", true);
    add("{\"name\":\"d\",\"namespace\":\"ns\",\"clusterIPs\":[\"9.9.9.9\"]}", "ns", false);
    add("{\"name\":\"kubernetes\",\"namespace\":\"other\",\"clusterIPs\":[\"9.9.9.9\"]}", "ns",
        false);
    expect(expected, 0);
    add(master, "ns", false);
    expect(expected, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(several_ports, setup, teardown),
        cmocka_unit_test_setup_teardown(brackets, setup, teardown),
        cmocka_unit_test_setup_teardown(of_which_services, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
