/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which clients are taken along from a table that is replaced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/sessions.h"

#define SET "service4/moon/web/tcp/80/127-244-0-1/8080/60s"

static void assert_kept(const char *listing, const char *expected)
{
    struct ruleset *ruleset = ruleset_new();
    struct forward_service *service = forward_service_new("moon", "web");
    struct address ip, target;

    assert_true(address_parse(&ip, "127.96.0.1", 10));
    assert_true(address_parse(&target, "127.244.0.1", 11));
    assert_true(forward_service_add_ip(service, &ip));
    forward_port_add_target(forward_service_add_port(service, FORWARD_TCP, 80), &target, 8080,
                            false);
    service->affinity = 60;
    ruleset_set(ruleset, service);
    g_autofree char *commands = sessions_keep(listing, ruleset);
    assert_string_equal(commands, expected);
    forward_service_free(service);
    ruleset_free(ruleset);
}

static void clients_with_time_to_go(void **state)
{
    (void)state;
    assert_kept("{\"nftables\": [{\"metainfo\": {}}, {\"set\": {\"name\": \"" SET
                "\", \"elem\": [{\"elem\": {\"val\": \"127.0.0.1\", \"expires\": 59}}, "
                "{\"elem\": {\"val\": \"10.0.0.1\", \"timeout\": 60, \"expires\": 1}}]}}]}",
                "add element inet kubesvc " SET " { 127.0.0.1 expires 59s }\n"
                "add element inet kubesvc " SET " { 10.0.0.1 expires 1s }\n");
}

static void what_is_not_ours(void **state)
{
    (void)state;
    assert_kept("", "");
    assert_kept("[", "");
    assert_kept("{\"nftables\": 1}", "");
    assert_kept("{\"nftables\": [1, {\"set\": []}, {\"set\": {}}, {\"chain\": {}}]}", "");
    assert_kept("{\"nftables\": [{\"set\": {\"name\": \"other\", \"elem\": "
                "[{\"elem\": {\"val\": \"127.0.0.1\", \"expires\": 59}}]}}]}",
                "");
    assert_kept("{\"nftables\": [{\"set\": {\"name\": \"" SET "\", \"elem\": "
                "[\"127.0.0.1\", {\"elem\": {\"val\": \"127.0.0.1\"}}, "
                "{\"elem\": {\"val\": \"1 }; flush ruleset\", \"expires\": 5}}, "
                "{\"elem\": {\"val\": \"127.0.0.2\", \"expires\": 86401}}, "
                "{\"elem\": {\"val\": \"127.0.0.3\", \"expires\": -1}}]}}]}",
                "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_with_time_to_go),
        cmocka_unit_test(what_is_not_ours),
    };

    return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
