/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The resolver in a small world: every rule of docs/rules.md that is about names and not about the
 * objects behind them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/world.h"

#define FOUND RESOLVER_FOUND
#define NODATA RESOLVER_NODATA
#define NXDOMAIN RESOLVER_NXDOMAIN
#define NOT_OURS RESOLVER_NOT_OURS
#define EXTERNAL RESOLVER_EXTERNAL
#define BARE RESOLVER_BARE
#define SERVICE RESOLVER_SERVICE

struct name_case {
    const char *name;
    int family; /* 4 or 6 */
    enum resolver_outcome outcome;
    unsigned flags;
    const char *addresses; /* of FOUND */
    const char *names;     /* of FOUND and EXTERNAL; NULL: the question alone */
};

static void check_name(const struct snapshot_view *view, const struct name_case *expected)
{
    struct resolver_answer inet, inet6, *answer = expected->family == 4 ? &inet : &inet6;
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct resolver_names names = RESOLVER_NAMES(storage);

    resolver_name(view, NULL, expected->name, strlen(expected->name), &inet, &inet6, &names);
    if (answer->outcome != expected->outcome || answer->flags != expected->flags)
        fail_msg("%s: outcome %d, flags %u", expected->name, answer->outcome, answer->flags);
    if (expected->outcome == FOUND || expected->outcome == EXTERNAL) {
        g_autofree char *text = world_names(&names);

        assert_string_equal(text, expected->names ?: expected->name);
    }
    if (expected->outcome == FOUND) {
        g_autofree char *text = world_format(expected->family == 4 ? AF_INET : AF_INET6,
                                             answer->addresses, answer->n_addresses);

        if (g_strcmp0(text, expected->addresses) != 0)
            fail_msg("%s: %s", expected->name, text);
    } else {
        assert_int_equal(answer->n_addresses, 0);
    }
}

#define CHECK_NAMES(options, cases) check_names(options, cases, sizeof(cases) / sizeof((cases)[0]))

static void check_names(const struct world_options *options, const struct name_case *cases,
                        size_t n)
{
    struct snapshot_writer *writer = world_new(options);
    struct snapshot_view view;

    assert_true(snapshot_writer_view(writer, &view));
    for (size_t i = 0; i < n; i++)
        check_name(&view, &cases[i]);
    snapshot_writer_free(writer);
}

static const struct world_options plain = {.pods = KUBESVC_PODS_VERIFIED};

static void services(void **state)
{
    static const struct name_case cases[] = {
        {"svc1.testns.svc.cluster.local", 4, FOUND, SERVICE, "10.0.0.1", NULL},
        {"SvC1.TeStNs.SvC.cLuStEr.LoCaL", 4, FOUND, SERVICE, "10.0.0.1", NULL},
        {"svc1.testns.svc.cluster.local", 6, NODATA, SERVICE, NULL, NULL},
        {"svc6.testns.svc.cluster.local", 4, NODATA, SERVICE, NULL, NULL},
        {"svc6.testns.svc.cluster.local", 6, FOUND, SERVICE, "1234:abcd::1", NULL},
        {"svc-dual-stack.testns.svc.cluster.local", 4, FOUND, SERVICE, "10.0.0.3", NULL},
        {"svc-dual-stack.testns.svc.cluster.local", 6, FOUND, SERVICE, "10::3", NULL},
        {"hdls1.testns.svc.cluster.local", 4, FOUND, SERVICE,
         "172.0.0.2 172.0.0.3 172.0.0.4 172.0.0.5", NULL},
        {"hdls1.testns.svc.cluster.local", 6, FOUND, SERVICE, "5678:abcd::1 5678:abcd::2", NULL},
        {"svc0.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"none-ready.testns.svc.cluster.local", 4, NXDOMAIN, SERVICE, NULL, NULL},
        {"none-ready.testns.svc.cluster.local", 6, NXDOMAIN, SERVICE, NULL, NULL},
        {"unallocated.testns.svc.cluster.local", 4, NODATA, SERVICE, NULL, NULL},
        {"ignored.testns.svc.cluster.local", 4, NXDOMAIN, SERVICE, NULL, NULL},
        {"ep.ignored.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"*.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"any.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"svc1.any.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
    };

    (void)state;
    CHECK_NAMES(&plain, cases);
}

static void names_above_services(void **state)
{
    static const struct name_case cases[] = {
        {"cluster.local", 4, NODATA, BARE, NULL, NULL},
        {"Cluster.Local", 6, NODATA, BARE, NULL, NULL},
        {"svc.cluster.local", 4, NODATA, BARE, NULL, NULL},
        {"pod.cluster.local", 4, NODATA, BARE, NULL, NULL},
        {"testns.svc.cluster.local", 4, NODATA, BARE, NULL, NULL},
        {"empty.svc.cluster.local", 4, NODATA, BARE, NULL, NULL},
        {"foo.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"foo.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"dns-version.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"ns.dns.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"svc1.testns.pood.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"foo.bar.notapod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"unexposedns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"svc1.unexposedns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"notcluster.local", 4, NOT_OURS, 0, NULL, NULL},
        {"local", 4, NOT_OURS, 0, NULL, NULL},
        {"db.prod.svc", 4, NOT_OURS, 0, NULL, NULL},
        {"db.prod.svc.xcluster.local", 4, NOT_OURS, 0, NULL, NULL},
        {"www.example.com", 4, NOT_OURS, 0, NULL, NULL},
        {"db.prod.svc.cluster.local.dev.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
    };

    (void)state;
    CHECK_NAMES(&plain, cases);
}

static void endpoints(void **state)
{
    static const struct name_case cases[] = {
        {"dup-name.hdls1.testns.svc.cluster.local", 4, FOUND, 0, "172.0.0.4 172.0.0.5", NULL},
        {"DUP-name.hdls1.testns.svc.cluster.local", 4, FOUND, 0, "172.0.0.4 172.0.0.5", NULL},
        {"dup-name.hdls1.testns.svc.cluster.local", 6, NODATA, 0, NULL, NULL},
        {"172-0-0-2.hdls1.testns.svc.cluster.local", 4, FOUND, 0, "172.0.0.2", NULL},
        {"172-0-0-2.hdls1.testns.svc.cluster.local", 6, NODATA, 0, NULL, NULL},
        {"172-0-0-02.hdls1.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"172-0-0-4.hdls1.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"5678-abcd--1.hdls1.testns.svc.cluster.local", 6, FOUND, 0, "5678:abcd::1", NULL},
        {"5678-ABCD--1.hdls1.testns.svc.cluster.local", 6, FOUND, 0, "5678:abcd::1", NULL},
        {"5678-abcd--1.hdls1.testns.svc.cluster.local", 4, NODATA, 0, NULL, NULL},
        {"5678-abcd-0-0-0-0-0-1.hdls1.testns.svc.cluster.local", 6, NXDOMAIN, 0, NULL, NULL},
        {"bogus.hdls1.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"bogus.svc0.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"ep1a.svc1.testns.svc.cluster.local", 4, FOUND, 0, "172.0.0.1", NULL},
        {"_tcp.svc1.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"fd00-60--0.twins.testns.svc.cluster.local", 6, FOUND, 0, "fd00:60::", NULL},
        {"fd00-60--.twins.testns.svc.cluster.local", 6, NXDOMAIN, 0, NULL, NULL},
        /* a hostname that is another endpoint's dashed address means both */
        {"10-1-1-1.twins.testns.svc.cluster.local", 4, FOUND, 0, "10.1.1.1 10.1.1.2", NULL},
        {"a.twins.testns.svc.cluster.local", 4, FOUND, 0, "10.1.1.2", NULL},
        {"sleepy.none-ready.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
    };

    (void)state;
    CHECK_NAMES(&plain, cases);
}

static void ports(void **state)
{
    static const struct name_case cases[] = {
        {"_http._tcp.svc1.testns.svc.cluster.local", 4, FOUND, 0, "10.0.0.1", NULL},
        {"http.tcp.svc1.testns.svc.cluster.local", 4, FOUND, 0, "10.0.0.1", NULL},
        {"_HTTP._TCP.svc1.testns.svc.cluster.local", 4, FOUND, 0, "10.0.0.1", NULL},
        {"_http._tcp.svc1.testns.svc.cluster.local", 6, NODATA, 0, NULL, NULL},
        {"_smtp._tcp.svc1.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"_http._udp.svc1.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"_http._any.svc1.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"__http._tcp.svc1.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"_http._tcp.hdls1.testns.svc.cluster.local", 4, FOUND, 0,
         "172.0.0.2 172.0.0.3 172.0.0.4 172.0.0.5", NULL},
        {"_http._udp.hdls1.testns.svc.cluster.local", 4, FOUND, 0, "172.0.0.2", NULL},
        {"_http._udp.hdls1.testns.svc.cluster.local", 6, FOUND, 0, "5678:abcd::1", NULL},
        {"_http._.hdls1.testns.svc.cluster.local", 6, FOUND, 0, "5678:abcd::1", NULL},
        {"_._tcp.hdls1.testns.svc.cluster.local", 4, FOUND, 0,
         "172.0.0.2 172.0.0.3 172.0.0.4 172.0.0.5", NULL},
        {"_._udp.hdls1.testns.svc.cluster.local", 4, FOUND, 0, "172.0.0.2", NULL},
        {"_._sctp.hdls1.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"_._.hdls1.testns.svc.cluster.local", 6, FOUND, 0, "5678:abcd::1 5678:abcd::2", NULL},
        {"_._.svcempty.testns.svc.cluster.local", 4, FOUND, 0, "10.0.0.1", NULL},
        {"_http._tcp.none-ready.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"_http._tcp.unallocated.testns.svc.cluster.local", 4, NODATA, 0, NULL, NULL},
        {"a._http._tcp.svc1.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"too.long.for.what.svc1.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
    };

    (void)state;
    CHECK_NAMES(&plain, cases);
}

static void external_names(void **state)
{
    static const struct name_case cases[] = {
        {"to-vip.ext.svc.cluster.local", 4, FOUND, SERVICE, "10.96.3.1",
         "to-vip.ext.svc.cluster.local vip.ext.svc.cluster.local"},
        {"To-Vip.ext.svc.cluster.local", 6, FOUND, SERVICE, "fd00:3::1",
         "To-Vip.ext.svc.cluster.local vip.ext.svc.cluster.local"},
        {"to-vip-dot.ext.svc.cluster.local", 4, FOUND, SERVICE, "10.96.3.1",
         "to-vip-dot.ext.svc.cluster.local vip.ext.svc.cluster.local"},
        {"to-hl.ext.svc.cluster.local", 4, FOUND, SERVICE, "10.244.8.1 10.244.8.2",
         "to-hl.ext.svc.cluster.local hl.ext.svc.cluster.local"},
        {"to-hl.ext.svc.cluster.local", 6, NODATA, SERVICE, NULL, NULL},
        {"to-ep.ext.svc.cluster.local", 4, FOUND, SERVICE, "10.244.8.2",
         "to-ep.ext.svc.cluster.local n1.hl.ext.svc.cluster.local"},
        {"to-pod.ext.svc.cluster.local", 4, FOUND, SERVICE, "10.90.0.1",
         "to-pod.ext.svc.cluster.local 10-90-0-1.p.pod.cluster.local"},
        {"to-upper.ext.svc.cluster.local", 4, FOUND, SERVICE, "10.96.3.1",
         "to-upper.ext.svc.cluster.local VIP.EXT.SVC.CLUSTER.LOCAL"},
        {"to-missing.ext.svc.cluster.local", 4, NODATA, SERVICE, NULL, NULL},
        {"to-unknown-ns.ext.svc.cluster.local", 4, NODATA, SERVICE, NULL, NULL},
        {"to-namespace.ext.svc.cluster.local", 4, NODATA, SERVICE, NULL, NULL},
        {"to-bad.ext.svc.cluster.local", 4, NODATA, SERVICE, NULL, NULL},
        {"to-nothing.ext.svc.cluster.local", 4, NODATA, SERVICE, NULL, NULL},
        {"self.ext.svc.cluster.local", 4, NODATA, SERVICE, NULL, NULL},
        {"below-self.ext.svc.cluster.local", 4, NODATA, SERVICE, NULL, NULL},
        {"ping.ext.svc.cluster.local", 4, NODATA, SERVICE, NULL, NULL},
        {"literal.ext.svc.cluster.local", 4, NXDOMAIN, SERVICE, NULL, NULL},
        {"c2.ext.svc.cluster.local", 4, FOUND, SERVICE, "10.96.3.1",
         "c2.ext.svc.cluster.local c3.ext.svc.cluster.local c4.ext.svc.cluster.local "
         "c5.ext.svc.cluster.local c6.ext.svc.cluster.local c7.ext.svc.cluster.local "
         "c8.ext.svc.cluster.local c9.ext.svc.cluster.local c10.ext.svc.cluster.local "
         "c11.ext.svc.cluster.local c12.ext.svc.cluster.local vip.ext.svc.cluster.local"},
        {"c1.ext.svc.cluster.local", 4, NODATA, SERVICE, NULL, NULL},
        {"a.to-vip.ext.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"_http._tcp.to-vip.ext.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"_._.to-vip.ext.svc.cluster.local", 4, FOUND, 0, "10.96.3.1",
         "_._.to-vip.ext.svc.cluster.local vip.ext.svc.cluster.local"},
        {"_.to-vip.ext.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"_._tcp.to-vip.ext.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"x._._.to-vip.ext.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"www.ext.svc.cluster.local", 4, EXTERNAL, SERVICE, NULL,
         "www.ext.svc.cluster.local www.example.com"},
        {"to-www.ext.svc.cluster.local", 6, EXTERNAL, SERVICE, NULL,
         "to-www.ext.svc.cluster.local www.ext.svc.cluster.local www.example.com"},
        {"to-short.ext.svc.cluster.local", 4, EXTERNAL, SERVICE, NULL,
         "to-short.ext.svc.cluster.local vip"},
    };

    (void)state;
    CHECK_NAMES(&plain, cases);
}

static void verified_pods(void **state)
{
    static const struct name_case cases[] = {
        {"10-90-0-1.p.pod.cluster.local", 4, FOUND, 0, "10.90.0.1", NULL},
        {"10-90-0-1.p.pod.cluster.local", 6, NODATA, 0, NULL, NULL},
        {"10-90-0-1.q.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"10-90-0-2.q.pod.cluster.local", 4, FOUND, 0, "10.90.0.2", NULL},
        {"10-90-0-8.p.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"192-0-2-99.p.pod.cluster.local", 4, FOUND, 0, "192.0.2.99", NULL},
        {"10-90-0-77.p.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"fd00-90--6.q.pod.cluster.local", 6, FOUND, 0, "fd00:90::6", NULL},
        {"FD00-90--6.q.pod.cluster.local", 6, FOUND, 0, "fd00:90::6", NULL},
        {"fd00-90--6.q.pod.cluster.local", 4, NODATA, 0, NULL, NULL},
        {"fd00-90--6.p.pod.cluster.local", 6, NXDOMAIN, 0, NULL, NULL},
        {"x.10-90-0-1.p.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"a.p.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"p.pod.cluster.local", 4, NODATA, BARE, NULL, NULL},
        {"nopods.pod.cluster.local", 6, NODATA, BARE, NULL, NULL},
        {"nowhere.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"10-90-0-1.nowhere.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
    };

    (void)state;
    CHECK_NAMES(&plain, cases);
}

static void insecure_pods(void **state)
{
    static const struct world_options options = {.pods = KUBESVC_PODS_INSECURE};
    static const struct name_case cases[] = {
        {"10-90-0-77.nopods.pod.cluster.local", 4, FOUND, 0, "10.90.0.77", NULL},
        {"10-90-0-77.nopods.pod.cluster.local", 6, NODATA, 0, NULL, NULL},
        {"10-90-0-300.p.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"10-90-0-01.p.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"10-90-0.p.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"fd00-90--6.q.pod.cluster.local", 6, FOUND, 0, "fd00:90::6", NULL},
        {"fd00-0-0-0-0-0-0-6.q.pod.cluster.local", 6, FOUND, 0, "fd00::6", NULL},
        {"fd00--.q.pod.cluster.local", 6, FOUND, 0, "fd00::", NULL},
        {"0-0-0-0-0-ffff-a01-203.q.pod.cluster.local", 4, FOUND, 0, "10.1.2.3", NULL},
        {"1-2-3-4-5-6-7-8-9.q.pod.cluster.local", 6, NXDOMAIN, 0, NULL, NULL},
        {"a12345--1.q.pod.cluster.local", 6, NXDOMAIN, 0, NULL, NULL},
        {"blah.p.pod.cluster.local", 6, NXDOMAIN, 0, NULL, NULL},
        {"10-90-0-1.unexposedns.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"10-90-0-1.nowhere.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"x.10-90-0-1.p.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"p.pod.cluster.local", 4, NODATA, BARE, NULL, NULL},
        {"a2345678901234567890123456789012345678901234567890123456789012-.p.pod.cluster.local", 6,
         NXDOMAIN, 0, NULL, NULL},
    };

    (void)state;
    CHECK_NAMES(&options, cases);
}

static void disabled_pods(void **state)
{
    static const struct world_options options = {.pods = KUBESVC_PODS_DISABLED};
    static const struct name_case cases[] = {
        {"10-90-0-1.p.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"p.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"pod.cluster.local", 4, NODATA, BARE, NULL, NULL},
    };

    (void)state;
    CHECK_NAMES(&options, cases);
}

static void fallthrough(void **state)
{
    static const struct world_options options = {
        .flags = KUBESVC_SETTINGS_FALLTHROUGH,
        .pods = KUBESVC_PODS_VERIFIED,
    };
    static const struct name_case cases[] = {
        {"svc1.testns.svc.cluster.local", 4, FOUND, SERVICE, "10.0.0.1", NULL},
        {"svc0.testns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"svc1.unexposedns.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"svc0.nowhere.svc.cluster.local", 4, NOT_OURS, 0, NULL, NULL},
        {"nowhere.svc.cluster.local", 4, NOT_OURS, 0, NULL, NULL},
        {"a.b.c.d.nowhere.svc.cluster.local", 4, NOT_OURS, 0, NULL, NULL},
        {"10-0-0-1.nowhere.pod.cluster.local", 4, NOT_OURS, 0, NULL, NULL},
        {"foo.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"cluster.local", 4, NODATA, BARE, NULL, NULL},
        {"svc.cluster.local", 4, NODATA, BARE, NULL, NULL},
        {"pod.cluster.local", 4, NODATA, BARE, NULL, NULL},
        {"to-unknown-ns.ext.svc.cluster.local", 4, NODATA, SERVICE, NULL, NULL},
    };

    (void)state;
    CHECK_NAMES(&options, cases);
}

static void another_zone(void **state)
{
    static const struct world_options options = {.zone = "InterWebs.Test"};
    static const struct name_case cases[] = {
        {"svc1.testns.svc.interwebs.test", 4, FOUND, SERVICE, "10.0.0.1", NULL},
        {"svc1.testns.svc.cluster.local", 4, NOT_OURS, 0, NULL, NULL},
        /* a target in a zone that is foreign here */
        {"to-vip.ext.svc.interwebs.test", 4, EXTERNAL, SERVICE, NULL,
         "to-vip.ext.svc.interwebs.test vip.ext.svc.cluster.local"},
    };

    (void)state;
    CHECK_NAMES(&options, cases);
}

static void other_zones(void **state)
{
    static const struct name_case cases[] = {
        /* the same namespace and Service, each in its zone */
        {"svc1.testns.svc.cluster.local", 4, FOUND, SERVICE, "10.0.0.1", NULL},
        {"svc1.testns.svc.east.example", 4, FOUND, SERVICE, "10.8.0.1", NULL},
        {"SVC1.TestNS.svc.EAST.example", 4, FOUND, SERVICE, "10.8.0.1", NULL},
        {"ep1a.svc1.testns.svc.east.example", 4, FOUND, 0, "172.8.0.1", NULL},
        {"_http._tcp.svc1.testns.svc.east.example", 4, FOUND, 0, "10.8.0.1", NULL},
        {"172-8-0-2.hl.east-only.svc.east.example", 4, FOUND, 0, "172.8.0.2", NULL},
        {"10-8-0-1.testns.pod.east.example", 4, FOUND, 0, "10.8.0.1", NULL},
        {"east.example", 4, NODATA, BARE, NULL, NULL},
        {"svc.east.example", 4, NODATA, BARE, NULL, NULL},
        {"testns.svc.east.example", 4, NODATA, BARE, NULL, NULL},
        /* what is in one is in no other */
        {"hl.east-only.svc.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"svc-dual-stack.testns.svc.east.example", 4, NXDOMAIN, 0, NULL, NULL},
        {"db.prod.svc.east.example", 4, NXDOMAIN, 0, NULL, NULL},
        {"10-8-0-1.testns.pod.cluster.local", 4, NXDOMAIN, 0, NULL, NULL},
        {"svc1.testns.svc.west.example", 4, NXDOMAIN, 0, NULL, NULL},
        {"west.example", 4, NODATA, BARE, NULL, NULL},
        {"svc1.testns.svc.south.example", 4, NOT_OURS, 0, NULL, NULL},
        {"example", 4, NOT_OURS, 0, NULL, NULL},
        /* from one to another */
        {"to-main.testns.svc.east.example", 4, FOUND, SERVICE, "10.96.3.1",
         "to-main.testns.svc.east.example vip.ext.svc.cluster.local"},
        {"to-east.ext.svc.cluster.local", 4, FOUND, SERVICE, "10.8.0.1",
         "to-east.ext.svc.cluster.local svc1.testns.svc.east.example"},
        {"to-there-and-back.ext.svc.cluster.local", 6, FOUND, SERVICE, "fd00:3::1",
         "to-there-and-back.ext.svc.cluster.local To-Main.testns.svc.East.Example "
         "vip.ext.svc.cluster.local"},
    };

    (void)state;
    CHECK_NAMES(&plain, cases);
}

/* A zone so long that no name in it could be looked up. */
static void a_zone_too_long_for_names(void **state)
{
    g_autofree char *zone = g_strnfill(250, 'z');
    g_autofree char *name = g_strconcat("a.b.svc.", zone, NULL);
    const char *const zones[] = {zone, NULL};
    const struct record_settings settings = {
        .zone = "z", .default_namespace = "d", .zones = zones, .pods = KUBESVC_PODS_VERIFIED};
    struct snapshot_writer *writer;
    struct snapshot_view view;
    struct resolver_answer inet, inet6;
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct resolver_names names = RESOLVER_NAMES(storage);
    struct record_key key;

    (void)state;
    assert_int_equal(snapshot_writer_new(&writer), 0);
    record_key_settings(&key);
    world_put(writer, &key, record_settings_new(&settings));
    snapshot_writer_publish(writer);
    assert_true(snapshot_writer_view(writer, &view));
    resolver_name(&view, NULL, name, strlen(name), &inet, &inet6, &names);
    assert_int_not_equal(inet.outcome, RESOLVER_FOUND);
    assert_int_not_equal(inet6.outcome, RESOLVER_FOUND);
    snapshot_writer_free(writer);
}

static void nothing_is_loaded(void **state)
{
    static const struct world_options options = {.flags = KUBESVC_SETTINGS_EMPTY};
    static const struct name_case cases[] = {
        {"svc1.testns.svc.cluster.local", 4, NOT_OURS, 0, NULL, NULL},
        {"cluster.local", 4, NOT_OURS, 0, NULL, NULL},
        {"www.example.com", 4, NOT_OURS, 0, NULL, NULL},
    };

    (void)state;
    CHECK_NAMES(&options, cases);
}

static void no_settings(void **state)
{
    static const struct name_case expected = {"cluster.local", 4, NOT_OURS, 0, NULL, NULL};
    struct snapshot_writer *writer;
    struct snapshot_view view;

    (void)state;
    assert_int_equal(snapshot_writer_new(&writer), 0);
    assert_int_equal(snapshot_writer_put(writer, "nprod", 5, "", 0), 0);
    snapshot_writer_publish(writer);
    assert_true(snapshot_writer_view(writer, &view));
    check_name(&view, &expected);
    snapshot_writer_free(writer);
}

/* --- Addresses --- */

static void check_address(const struct snapshot_view *view, const char *text,
                          enum kubesvc_family family, enum resolver_outcome outcome,
                          const char *name)
{
    struct address address = world_parse(text);
    struct resolver_answer answer;
    char storage[KUBESVC_NAMES_SIZE_MAX];
    struct resolver_names names = RESOLVER_NAMES(storage);

    if (family == KUBESVC_FAMILY_INET)
        memmove(address.bytes, address.bytes + 12, 4);
    resolver_address(view, family, address.bytes, &answer, &names);
    if (answer.outcome != outcome)
        fail_msg("%s: outcome %d", text, answer.outcome);
    if (name != NULL) {
        assert_int_equal(names.count, 1);
        assert_string_equal(names.text, name);
    }
}

static void addresses(void **state)
{
    struct snapshot_writer *writer = world_new(&plain);
    struct snapshot_view view;

    (void)state;
    assert_true(snapshot_writer_view(writer, &view));
    check_address(&view, "10.0.0.1", KUBESVC_FAMILY_INET, FOUND, "svc1.testns.svc.cluster.local");
    check_address(&view, "10.0.0.1", KUBESVC_FAMILY_INET6, FOUND, "svc1.testns.svc.cluster.local");
    check_address(&view, "10.8.0.1", KUBESVC_FAMILY_INET, FOUND, "svc1.testns.svc.east.example");
    check_address(&view, "172.0.0.4", KUBESVC_FAMILY_INET, FOUND,
                  "dup-name.hdls1.testns.svc.cluster.local");
    check_address(&view, "fd00:60::", KUBESVC_FAMILY_INET6, FOUND,
                  "fd00-60--0.twins.testns.svc.cluster.local");
    check_address(&view, "10.90.0.1", KUBESVC_FAMILY_INET, NXDOMAIN, NULL); /* a bare pod */
    check_address(&view, "10.90.0.8", KUBESVC_FAMILY_INET, NXDOMAIN, NULL); /* stated only */
    check_address(&view, "10.90.0.9", KUBESVC_FAMILY_INET, NOT_OURS, NULL);
    check_address(&view, "192.0.2.99", KUBESVC_FAMILY_INET, NOT_OURS, NULL);     /* the node's */
    check_address(&view, "127.96.255.255", KUBESVC_FAMILY_INET, NXDOMAIN, NULL); /* allocatable */
    check_address(&view, "127.97.0.0", KUBESVC_FAMILY_INET, NOT_OURS, NULL);
    check_address(&view, "127.95.255.255", KUBESVC_FAMILY_INET6, NOT_OURS, NULL);
    check_address(&view, "fd00:ffff::1", KUBESVC_FAMILY_INET6, NXDOMAIN, NULL);
    check_address(&view, "fd00:ffef::1", KUBESVC_FAMILY_INET6, NOT_OURS, NULL);
    check_address(&view, "::1", KUBESVC_FAMILY_INET6, NXDOMAIN, NULL); /* a name none can ask for */
    snapshot_writer_free(writer);
}

static void addresses_of_nothing(void **state)
{
    static const struct world_options options = {.flags = KUBESVC_SETTINGS_EMPTY};
    struct snapshot_writer *writer = world_new(&options);
    struct snapshot_view view;

    (void)state;
    assert_true(snapshot_writer_view(writer, &view));
    check_address(&view, "10.0.0.1", KUBESVC_FAMILY_INET, NOT_OURS, NULL);
    check_address(&view, "127.96.0.1", KUBESVC_FAMILY_INET, NOT_OURS, NULL);
    snapshot_writer_free(writer);
}

static void ranges_of_any_length(void **state)
{
    static const struct address_range ranges[] = {
        {{{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 7}}, 128},
        {{{0x20}}, 3},
        {{{0}}, 64},
    };
    static const struct record_settings settings = {
        .zone = "z", .default_namespace = "d", .ranges = ranges, .n_ranges = 3};
    struct snapshot_writer *writer;
    struct snapshot_view view;
    struct record_key key;

    (void)state;
    assert_int_equal(snapshot_writer_new(&writer), 0);
    record_key_settings(&key);
    world_put(writer, &key, record_settings_new(&settings));
    snapshot_writer_publish(writer);
    assert_true(snapshot_writer_view(writer, &view));
    check_address(&view, "10.0.0.7", KUBESVC_FAMILY_INET, NXDOMAIN, NULL);
    check_address(&view, "10.0.0.6", KUBESVC_FAMILY_INET, NOT_OURS, NULL);
    check_address(&view, "3fff::", KUBESVC_FAMILY_INET6, NXDOMAIN, NULL);
    check_address(&view, "4000::", KUBESVC_FAMILY_INET6, NOT_OURS, NULL);
    check_address(&view, "::2", KUBESVC_FAMILY_INET6, NXDOMAIN, NULL);
    snapshot_writer_free(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services),
        cmocka_unit_test(names_above_services),
        cmocka_unit_test(endpoints),
        cmocka_unit_test(ports),
        cmocka_unit_test(external_names),
        cmocka_unit_test(verified_pods),
        cmocka_unit_test(insecure_pods),
        cmocka_unit_test(disabled_pods),
        cmocka_unit_test(fallthrough),
        cmocka_unit_test(another_zone),
        cmocka_unit_test(other_zones),
        cmocka_unit_test(a_zone_too_long_for_names),
        cmocka_unit_test(nothing_is_loaded),
        cmocka_unit_test(no_settings),
        cmocka_unit_test(addresses),
        cmocka_unit_test(addresses_of_nothing),
        cmocka_unit_test(ranges_of_any_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
