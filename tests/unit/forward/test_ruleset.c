/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ruleset as text: complete, and as changed by changes of Services. tests/e2e/test_proxy.py
 * checks that the kernel accepts it and forwards connections as intended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/forward/ruleset.h"

static struct address address_of(const char *text)
{
    struct address address;

    assert_true(address_parse(&address, text, strlen(text)));
    return address;
}

static struct forward_service *service_new(const char *name, const char *ips)
{
    struct forward_service *service = forward_service_new("moon", name);
    g_auto(GStrv) texts = g_strsplit(ips, " ", -1);

    assert_non_null(service);
    for (char **text = texts; *text; text++) {
        struct address address = address_of(*text);

        assert_true(forward_service_add_ip(service, &address));
    }
    return service;
}

/* `targets`: addresses, all with this port. */
static void add_port(struct forward_service *service, enum forward_protocol protocol,
                     uint16_t number, const char *targets, uint16_t target)
{
    struct forward_port *port = forward_service_add_port(service, protocol, number);
    g_auto(GStrv) texts = g_strsplit(targets, " ", -1);

    for (char **text = texts; *text && **text; text++) {
        struct address address = address_of(*text);

        forward_port_add_target(port, &address, target, false);
    }
}

/* Sets a Service of one port of TCP. */
static void set(struct ruleset *ruleset, const char *name, const char *ips, const char *targets)
{
    struct forward_service *service = service_new(name, ips);

    add_port(service, FORWARD_TCP, 80, targets, 8080);
    ruleset_set(ruleset, service);
    forward_service_free(service);
}

static void assert_changes(struct ruleset *ruleset, const char *expected)
{
    g_autofree char *changes = ruleset_changes(ruleset);

    if (expected)
        assert_string_equal(changes, expected);
    else
        assert_null(changes);
    ruleset_settle(ruleset);
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static void the_whole(void **state)
{
    struct ruleset *ruleset = ruleset_new();

    (void)state;
    set(ruleset, "web", "127.96.0.1 fd00::1", "127.244.0.1 127.244.0.2 fd00:1::1");
    g_autofree char *whole = ruleset_whole(ruleset);
    assert_true(g_str_has_prefix(whole, "add table inet kubesvc\ndelete table inet kubesvc\n"
                                        "table inet kubesvc {\n"));
    assert_true(has(whole, "add rule inet kubesvc service4/moon/web/tcp/80 meta l4proto tcp dnat "
                           "ip to numgen random mod 2 map { 0 : 127.244.0.1 . 8080, "
                           "1 : 127.244.0.2 . 8080 }\n"));
    assert_true(has(whole, "add rule inet kubesvc service6/moon/web/tcp/80 meta l4proto tcp dnat "
                           "ip6 to [fd00:1::1]:8080\n"));
    assert_true(has(whole, "add element inet kubesvc services4 {\n"
                           "\t127.96.0.1 . tcp . 80 : goto service4/moon/web/tcp/80\n}\n"));
    assert_true(has(whole, "add element inet kubesvc cluster-ips6 {\n\tfd00::1\n}\n"));
    /* within loopback nothing leaves the host */
    assert_false(has(whole, "add element inet kubesvc hairpins4"));
    assert_true(has(whole, "add element inet kubesvc hairpins6 {\n\tfd00:1::1 . fd00:1::1\n}\n"));
    assert_int_equal(ruleset_size(ruleset), 1);
    ruleset_free(ruleset);
}

static void only_what_changed(void **state)
{
    struct ruleset *ruleset = ruleset_new();

    (void)state;
    set(ruleset, "web", "127.96.0.1", "127.244.0.1");
    set(ruleset, "db", "127.96.0.2", "127.244.0.9");
    ruleset_settle(ruleset);
    assert_changes(ruleset, NULL);

    set(ruleset, "web", "127.96.0.1", "127.244.0.1"); /* as it was */
    assert_changes(ruleset, NULL);

    set(ruleset, "web", "127.96.0.1", "127.244.0.1 127.244.0.2");
    assert_changes(ruleset, "flush chain inet kubesvc service4/moon/web/tcp/80\n"
                            "add rule inet kubesvc service4/moon/web/tcp/80 meta l4proto tcp dnat "
                            "ip to numgen random mod 2 map { 0 : 127.244.0.1 . 8080, "
                            "1 : 127.244.0.2 . 8080 }\n");

    set(ruleset, "web", "127.96.0.1", ""); /* its cluster IP is rejected now */
    assert_changes(ruleset, "delete element inet kubesvc services4 {\n"
                            "\t127.96.0.1 . tcp . 80 : goto service4/moon/web/tcp/80\n}\n"
                            "flush chain inet kubesvc service4/moon/web/tcp/80\n"
                            "delete chain inet kubesvc service4/moon/web/tcp/80\n");

    ruleset_remove(ruleset, "moon", "web");
    ruleset_remove(ruleset, "moon", "no-such");
    assert_changes(ruleset, "delete element inet kubesvc cluster-ips4 {\n\t127.96.0.1\n}\n");

    set(ruleset, "new", "127.96.0.1", "127.244.0.3");
    assert_changes(ruleset, "add chain inet kubesvc service4/moon/new/tcp/80\n"
                            "add rule inet kubesvc service4/moon/new/tcp/80 meta l4proto tcp dnat "
                            "ip to 127.244.0.3:8080\n"
                            "add element inet kubesvc cluster-ips4 {\n\t127.96.0.1\n}\n"
                            "add element inet kubesvc services4 {\n"
                            "\t127.96.0.1 . tcp . 80 : goto service4/moon/new/tcp/80\n}\n");
    ruleset_free(ruleset);
}

static void several_changes_are_one(void **state)
{
    struct ruleset *ruleset = ruleset_new();

    (void)state;
    set(ruleset, "web", "127.96.0.1", "127.244.0.1");
    ruleset_settle(ruleset);
    ruleset_remove(ruleset, "moon", "web");
    set(ruleset, "web", "127.96.0.1", "127.244.0.2");
    set(ruleset, "web", "127.96.0.1", "127.244.0.1");
    assert_changes(ruleset, NULL);
    ruleset_free(ruleset);
}

/* A Service that is not repeated is removed. */
static void told_once_more(void **state)
{
    struct ruleset *ruleset = ruleset_new();

    (void)state;
    set(ruleset, "web", "127.96.0.1", "127.244.0.1");
    set(ruleset, "db", "127.96.0.2", "");
    ruleset_settle(ruleset);
    ruleset_mark(ruleset);
    set(ruleset, "web", "127.96.0.1", "127.244.0.1");
    ruleset_sweep(ruleset);
    assert_int_equal(ruleset_size(ruleset), 1);
    assert_changes(ruleset, "delete element inet kubesvc cluster-ips4 {\n\t127.96.0.2\n}\n");
    ruleset_free(ruleset);
}

/* Two that state one address: the first has its ports, and the other one what is left. */
static void two_of_one_address(void **state)
{
    struct ruleset *ruleset = ruleset_new();

    (void)state;
    set(ruleset, "b", "10.0.0.1", "10.1.0.1");
    ruleset_settle(ruleset);
    set(ruleset, "a", "10.0.0.1", "10.1.0.2");
    g_autofree char *both = ruleset_changes(ruleset);
    assert_true(has(both, "delete element inet kubesvc services4 {\n"
                          "\t10.0.0.1 . tcp . 80 : goto service4/moon/b/tcp/80\n}\n"));
    assert_true(has(both, "add element inet kubesvc services4 {\n"
                          "\t10.0.0.1 . tcp . 80 : goto service4/moon/a/tcp/80\n}\n"));
    assert_false(has(both, "cluster-ips4"));
    ruleset_settle(ruleset);
    ruleset_remove(ruleset, "moon", "a");
    g_autofree char *one = ruleset_changes(ruleset);
    assert_true(has(one, "add element inet kubesvc services4 {\n"
                         "\t10.0.0.1 . tcp . 80 : goto service4/moon/b/tcp/80\n}\n"));
    assert_false(has(one, "cluster-ips4"));
    ruleset_free(ruleset);
}

/* A port that is there twice, which no API server takes, is one. */
static void one_port_twice(void **state)
{
    struct ruleset *ruleset = ruleset_new();
    struct forward_service *service = service_new("web", "127.96.0.1");

    (void)state;
    add_port(service, FORWARD_TCP, 80, "127.244.0.1", 8080);
    add_port(service, FORWARD_TCP, 80, "127.244.0.2", 8081);
    ruleset_set(ruleset, service);
    g_autofree char *whole = ruleset_whole(ruleset);
    const char *first = strstr(whole, "add rule inet kubesvc service4/moon/web/tcp/80");
    assert_non_null(first);
    assert_null(strstr(first + 1, "add rule inet kubesvc service4/moon/web/tcp/80"));
    forward_service_free(service);
    ruleset_remove(ruleset, "moon", "web");
    assert_changes(ruleset, NULL);
    ruleset_free(ruleset);
}

static void affinity(void **state)
{
    struct ruleset *ruleset = ruleset_new();
    struct forward_service *service = service_new("web", "fd00::1");

    (void)state;
    service->affinity = 60;
    add_port(service, FORWARD_SCTP, 7, "fd00:1::1", 77);
    ruleset_set(ruleset, service);
    assert_changes(
        ruleset,
        "add set inet kubesvc service6/moon/web/sctp/7/fd00-1--1/77/60s "
        "{ type ipv6_addr; flags dynamic,timeout; timeout 60s; }\n"
        "add chain inet kubesvc service6/moon/web/sctp/7\n"
        "add chain inet kubesvc service6/moon/web/sctp/7/fd00-1--1/77/60s\n"
        "add rule inet kubesvc service6/moon/web/sctp/7 ip6 saddr "
        "@service6/moon/web/sctp/7/fd00-1--1/77/60s goto "
        "service6/moon/web/sctp/7/fd00-1--1/77/60s\n"
        "add rule inet kubesvc service6/moon/web/sctp/7 numgen random mod 1 vmap { 0 : goto "
        "service6/moon/web/sctp/7/fd00-1--1/77/60s }\n"
        "add rule inet kubesvc service6/moon/web/sctp/7/fd00-1--1/77/60s update "
        "@service6/moon/web/sctp/7/fd00-1--1/77/60s { ip6 saddr }\n"
        "add rule inet kubesvc service6/moon/web/sctp/7/fd00-1--1/77/60s meta l4proto sctp dnat "
        "ip6 to [fd00:1::1]:77\n"
        "add element inet kubesvc cluster-ips6 {\n\tfd00::1\n}\n"
        "add element inet kubesvc hairpins6 {\n\tfd00:1::1 . fd00:1::1\n}\n"
        "add element inet kubesvc services6 {\n"
        "\tfd00::1 . sctp . 7 : goto service6/moon/web/sctp/7\n}\n");
    service->affinity = 0;
    ruleset_set(ruleset, service);
    assert_changes(ruleset,
                   "flush chain inet kubesvc service6/moon/web/sctp/7\n"
                   "flush chain inet kubesvc service6/moon/web/sctp/7/fd00-1--1/77/60s\n"
                   "add rule inet kubesvc service6/moon/web/sctp/7 meta l4proto sctp dnat ip6 to "
                   "[fd00:1::1]:77\n"
                   "delete chain inet kubesvc service6/moon/web/sctp/7/fd00-1--1/77/60s\n"
                   "delete set inet kubesvc service6/moon/web/sctp/7/fd00-1--1/77/60s\n");
    forward_service_free(service);
    ruleset_free(ruleset);
}

static void add_flow(void *userdata, const struct address *address, uint16_t port,
                     const char *targets)
{
    char text[ADDRESS_TEXT_MAX];

    address_format(address, text);
    g_string_append_printf(userdata, "%s %u:%s;", text, port, targets);
}

static void assert_flows(const struct ruleset *ruleset, const char *expected)
{
    g_autoptr(GString) flows = g_string_new(NULL);

    ruleset_flows(ruleset, add_flow, flows);
    assert_string_equal(flows->str, expected);
}

static void set_dns(struct ruleset *ruleset, const char *targets)
{
    struct forward_service *service = service_new("dns", "127.96.0.1");

    add_port(service, FORWARD_UDP, 53, targets, 5353);
    add_port(service, FORWARD_TCP, 53, targets, 5353);
    ruleset_set(ruleset, service);
    forward_service_free(service);
}

static void flows_that_lead_elsewhere(void **state)
{
    struct ruleset *ruleset = ruleset_new();

    (void)state;
    set_dns(ruleset, "127.244.0.1 127.244.0.2");
    assert_flows(ruleset, "127.96.0.1 53:\n127.244.0.1 . 5353\n127.244.0.2 . 5353\n;");
    ruleset_settle(ruleset);
    assert_flows(ruleset, "");
    set_dns(ruleset, "127.244.0.2");
    assert_flows(ruleset, "127.96.0.1 53:\n127.244.0.2 . 5353\n;");
    ruleset_settle(ruleset);
    ruleset_remove(ruleset, "moon", "dns");
    assert_flows(ruleset, "127.96.0.1 53:;");
    ruleset_free(ruleset);
}

static void add_terminating(struct forward_port *port, const char *target)
{
    struct address address = address_of(target);

    forward_port_add_target(port, &address, 5353, true);
}

/* Of each family, those that terminate are used while none is ready; their flows stay anyway. */
static void those_that_terminate(void **state)
{
    struct ruleset *ruleset = ruleset_new();
    struct forward_service *service = service_new("dns", "127.96.0.1 fd00::1");

    (void)state;
    add_port(service, FORWARD_UDP, 53, "127.244.0.1", 5353);
    add_terminating(service->ports->pdata[0], "127.244.0.2");
    add_terminating(service->ports->pdata[0], "fd00:1::2");
    ruleset_set(ruleset, service);
    g_autofree char *whole = ruleset_whole(ruleset);
    assert_true(
        has(whole, "service4/moon/dns/udp/53 meta l4proto udp dnat ip to 127.244.0.1:5353"));
    assert_true(has(whole, "service6/moon/dns/udp/53 meta l4proto udp dnat ip6 to "
                           "[fd00:1::2]:5353"));
    assert_true(has(whole, "\tfd00:1::2 . fd00:1::2\n"));
    ruleset_remove(ruleset, "moon", "dns");
    ruleset_settle(ruleset);
    forward_service_free(service);

    service = service_new("dns", "127.96.0.1");
    add_port(service, FORWARD_UDP, 53, "127.244.0.1", 5353);
    add_terminating(service->ports->pdata[0], "127.244.0.2");
    ruleset_set(ruleset, service);
    assert_flows(ruleset, "127.96.0.1 53:\n127.244.0.1 . 5353\n127.244.0.2 . 5353\n;");
    forward_service_free(service);
    ruleset_free(ruleset);
}

static void what_is_not_forwarded(void **state)
{
    static const char *const special[] = {"127.0.0.1", "127.0.0.53",     "0.0.0.0", "169.254.0.1",
                                          "224.0.0.1", "ff02::1",        "::1",     "fe80::1",
                                          "::",        "255.255.255.255"};
    struct forward_service *service = forward_service_new("moon", "web");

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(special); i++) {
        struct address address = address_of(special[i]);

        assert_false(forward_service_add_ip(service, &address));
    }
    assert_int_equal(service->cluster_ips->len, 0);
    forward_service_free(service);
    assert_null(forward_service_new("moon", "a b"));
    assert_null(forward_service_new("moon", "a;flush ruleset"));
    assert_null(forward_service_new("", "web"));
    assert_null(forward_service_new("Moon", "web"));
    assert_null(forward_service_new("@east", "web"));
    assert_null(forward_service_new("moon@", "web"));
    assert_null(forward_service_new("moon@a@b", "web"));
    assert_null(forward_service_new("moon@a;b", "web"));
    assert_null(forward_service_new("moon", "web@east"));
    forward_service_free(forward_service_new("moon@east.example", "web"));
    g_autofree char *long_name = g_strnfill(64, 'x');
    assert_null(forward_service_new("moon", long_name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole),
        cmocka_unit_test(only_what_changed),
        cmocka_unit_test(several_changes_are_one),
        cmocka_unit_test(told_once_more),
        cmocka_unit_test(two_of_one_address),
        cmocka_unit_test(one_port_twice),
        cmocka_unit_test(affinity),
        cmocka_unit_test(flows_that_lead_elsewhere),
        cmocka_unit_test(those_that_terminate),
        cmocka_unit_test(what_is_not_forwarded),
    };

    return cmocka_run_group_tests_name("ruleset", tests, NULL, NULL);
}
