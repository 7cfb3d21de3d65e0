/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LDFLAGS: -lresolv */
/*
 * What is answered, question by question, as glibc's parser of DNS messages reads it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dns_world.h"

#define SOA                                                                                        \
    "\nauthority cluster.local. SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 2H 30M 1D "  \
    "5S"

struct question {
    const char *name;
    int type;
    const char *expected;
};

static size_t request_for(const char *name, int type, uint8_t *request, size_t size)
{
    static const uint8_t header[12] = {0xab, 0xcd, 0x01, 0x00, 0, 1};
    uint8_t *end = mempcpy(request, header, sizeof header);
    const uint8_t *behind = end;

    assert_true(ns_name_pton(name, end, size - sizeof header) >= 0);
    assert_int_equal(ns_name_skip(&behind, request + size), 0);
    end += behind - end;
    *end++ = (uint8_t)(type >> 8);
    *end++ = (uint8_t)type;
    *end++ = 0;
    *end++ = 1;
    return (size_t)(end - request);
}

static char *answer_of(const struct dns_world *world, const char *name, int type, size_t room)
{
    uint8_t request[512];
    g_autofree uint8_t *response = g_malloc(65535);
    size_t size = request_for(name, type, request, sizeof request);

    size = dns_world_answer(world, request, size, false, response, room);
    assert_true(size <= room);
    assert_memory_equal(response, "\xab\xcd", 2);
    return dns_world_text(response, size);
}

static void check(const struct dns_world *world, const struct question *questions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *got = answer_of(world, questions[i].name, questions[i].type, 65535);

        assert_non_null(got);
        if (strcmp(got, questions[i].expected) != 0)
            fail_msg("%s %d: %s\nexpected %s", questions[i].name, questions[i].type, got,
                     questions[i].expected);
    }
}
#define CHECK(world, questions) check(world, questions, G_N_ELEMENTS(questions))

static struct dns_world world;

static int make_world(void **state)
{
    (void)state;
    world = dns_world_new(&(struct world_options){.pods = KUBESVC_PODS_VERIFIED});
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    snapshot_writer_free(world.writer);
    return 0;
}

#define T "testns.svc.cluster.local"
#define E "ext.svc.cluster.local"

static void addresses(void **state)
{
    static const struct question questions[] = {
        {"svc1." T, ns_t_a, "NOERROR aa\nsvc1." T ". A 10.0.0.1"},
        {"SvC1." T, ns_t_a, "NOERROR aa\nSvC1." T ". A 10.0.0.1"},
        {"svc1." T, ns_t_aaaa, "NOERROR aa" SOA},
        {"svc1." T, ns_t_mx, "NOERROR aa" SOA},
        {"svc6." T, ns_t_aaaa, "NOERROR aa\nsvc6." T ". AAAA 1234:abcd::1"},
        {"ep1a.svc1." T, ns_t_a, "NOERROR aa\nep1a.svc1." T ". A 172.0.0.1"},
        {"_http._tcp.svc1." T, ns_t_a, "NOERROR aa\n_http._tcp.svc1." T ". A 10.0.0.1"},
        {"10-90-0-1.p.pod.cluster.local", ns_t_a,
         "NOERROR aa\n10-90-0-1.p.pod.cluster.local. A 10.90.0.1"},
        {"absent." T, ns_t_a, "NXDOMAIN aa" SOA},
        {"absent." T, ns_t_soa, "NXDOMAIN aa" SOA},
        {"ignored." T, ns_t_a, "NXDOMAIN aa" SOA},
        {"unallocated." T, ns_t_a, "NOERROR aa" SOA},
        {"none-ready." T, ns_t_a, "NXDOMAIN aa" SOA},
        {"svc1.unexposedns.svc.cluster.local", ns_t_a, "NXDOMAIN aa" SOA},
        {"-x." T, ns_t_a, "NXDOMAIN aa" SOA},
        {T, ns_t_a, "NOERROR aa" SOA},
        {"svc.cluster.local", ns_t_txt, "NOERROR aa" SOA},
        {"x.cluster.local", ns_t_a, "NXDOMAIN aa" SOA},
        {"www.example.com", ns_t_a, "REFUSED"},
        {"xcluster.local", ns_t_a, "REFUSED"},
        {".", ns_t_ns, "REFUSED"},
        {"local", ns_t_a, "REFUSED"},
    };

    (void)state;
    CHECK(&world, questions);
}

/* Labels hold any bytes. A dot among them is part of the label, and makes none of our names. */
static void labels_of_any_bytes(void **state)
{
    static const struct question questions[] = {
        {"svc1\\.testns.svc.cluster.local", ns_t_a, "NXDOMAIN aa" SOA},
        {"svc1.testns.svc\\.cluster.local", ns_t_a, "REFUSED"},
        {"a\\.cluster.local", ns_t_a, "REFUSED"},
        {"sv\\000c1." T, ns_t_a, "NXDOMAIN aa" SOA},
        {"\\255\\032." T, ns_t_a, "NXDOMAIN aa" SOA},
        {"*." T, ns_t_a, "NXDOMAIN aa" SOA},
    };

    (void)state;
    CHECK(&world, questions);
}

static void zone(void **state)
{
    static const struct question questions[] = {
        {"cluster.local", ns_t_soa,
         "NOERROR aa\ncluster.local. SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 2H "
         "30M 1D 5S"},
        {"cluster.local", ns_t_ns,
         "NOERROR aa\ncluster.local. NS ns.dns.cluster.local.\nadditional ns.dns.cluster.local. A "
         "127.0.0.63"},
        {"cluster.local", ns_t_a, "NOERROR aa" SOA},
        {"NS.dns.cluster.local", ns_t_a, "NOERROR aa\nNS.dns.cluster.local. A 127.0.0.63"},
        {"ns.dns.cluster.local", ns_t_aaaa, "NOERROR aa" SOA},
        {"dns.cluster.local", ns_t_a, "NOERROR aa" SOA},
        {"x.ns.dns.cluster.local", ns_t_a, "NXDOMAIN aa" SOA},
        {"dns-version.cluster.local", ns_t_txt,
         "NOERROR aa\ndns-version.cluster.local. 8H TXT \"1.1.0\""},
        {"dns-version.cluster.local", ns_t_a, "NOERROR aa" SOA},
    };

    (void)state;
    CHECK(&world, questions);
}

static void aliases(void **state)
{
    static const struct question questions[] = {
        {"to-vip." E, ns_t_a, "NOERROR aa\nto-vip." E ". CNAME vip." E ".\nvip." E ". A 10.96.3.1"},
        {"to-vip." E, ns_t_cname, "NOERROR aa\nto-vip." E ". CNAME vip." E "."},
        {"vip." E, ns_t_cname, "NOERROR aa" SOA},
        {"to-hl." E, ns_t_aaaa, "NOERROR aa\nto-hl." E ". CNAME hl." E "." SOA},
        {"to-missing." E, ns_t_a, "NOERROR aa\nto-missing." E ". CNAME no." E "." SOA},
        {"to-www." E, ns_t_a,
         "NOERROR aa\nto-www." E ". CNAME www." E ".\nwww." E ". CNAME www.example.com."},
        {"www." E, ns_t_txt, "NOERROR aa\nwww." E ". CNAME www.example.com."},
        {"www." E, ns_t_srv, "NOERROR aa" SOA},
        {"_p._tcp.www." E, ns_t_srv, "NXDOMAIN aa" SOA},
        {"literal." E, ns_t_a, "NXDOMAIN aa" SOA},
    };

    (void)state;
    CHECK(&world, questions);
}

/* Each alias once (rule 59). What is no name is no target either. */
static void loops(void **state)
{
    static const struct question questions[] = {
        {"self." E, ns_t_a, "NOERROR aa\nself." E ". CNAME self." E "." SOA},
        {"Self." E, ns_t_aaaa, "NOERROR aa\nSelf." E ". CNAME self." E "." SOA},
        {"ping." E, ns_t_a,
         "NOERROR aa\nping." E ". CNAME pong." E ".\npong." E ". CNAME ping." E "." SOA},
        {"ping." E, ns_t_cname, "NOERROR aa\nping." E ". CNAME pong." E "."},
        {"to-there-and-back." E, ns_t_a,
         "NOERROR aa\nto-there-and-back." E ". CNAME To-Main.testns.svc.East.Example."
         "\nTo-Main.testns.svc.East.Example. CNAME vip." E ".\nvip." E ". A 10.96.3.1"},
        {"to-bad." E, ns_t_a, "NOERROR aa" SOA},
        {"to-bad." E, ns_t_cname, "NOERROR aa" SOA},
        {"to-nothing." E, ns_t_a, "NOERROR aa" SOA},
    };

    (void)state;
    CHECK(&world, questions);
}

/* One record of the name itself, never what is at its target. */
static void any(void **state)
{
    static const struct question questions[] = {
        {"svc1." T, ns_t_any, "NOERROR aa\nsvc1." T ". HINFO \"RFC8482\" \"\""},
        {"to-vip." E, ns_t_any, "NOERROR aa\nto-vip." E ". CNAME vip." E "."},
        {"to-missing." E, ns_t_any, "NOERROR aa\nto-missing." E ". CNAME no." E "."},
        {"ping." E, ns_t_any, "NOERROR aa\nping." E ". CNAME pong." E "."},
        {"www." E, ns_t_any, "NOERROR aa\nwww." E ". CNAME www.example.com."},
        {"absent." T, ns_t_any, "NXDOMAIN aa" SOA},
        {"cluster.local", ns_t_any,
         "NOERROR aa\ncluster.local. SOA ns.dns.cluster.local. hostmaster.cluster.local. "
         "7 2H 30M 1D 5S"},
        {"ns.dns.cluster.local", ns_t_any, "NOERROR aa\nns.dns.cluster.local. A 127.0.0.63"},
        {"dns-version.cluster.local", ns_t_any,
         "NOERROR aa\ndns-version.cluster.local. 8H TXT \"1.1.0\""},
        {"dns.cluster.local", ns_t_any, "NOERROR aa" SOA},
        {"1.0.0.10.in-addr.arpa", ns_t_any, "NOERROR aa\n1.0.0.10.in-addr.arpa. PTR svc1." T "."},
    };

    (void)state;
    CHECK(&world, questions);
}

static void reverse(void **state)
{
#define REVERSE_SOA(top)                                                                           \
    "\nauthority " top " SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 2H 30M 1D 5S"
    static const struct question questions[] = {
        {"1.0.0.10.in-addr.arpa", ns_t_ptr, "NOERROR aa\n1.0.0.10.in-addr.arpa. PTR svc1." T "."},
        /* the zone is that of a range, or the address itself */
        {"1.0.0.10.IN-ADDR.arpa", ns_t_a, "NOERROR aa" REVERSE_SOA("1.0.0.10.IN-ADDR.arpa.")},
        {"x.1.0.0.10.in-addr.arpa", ns_t_ptr, "NXDOMAIN aa" REVERSE_SOA("1.0.0.10.in-addr.arpa.")},
        {"1.0.0.10.in-addr.arpa", ns_t_soa,
         "NOERROR aa\n1.0.0.10.in-addr.arpa. SOA ns.dns.cluster.local. hostmaster.cluster.local. "
         "7 2H 30M 1D 5S"},
        {"8.0.90.10.in-addr.arpa", ns_t_ptr, "NXDOMAIN aa" REVERSE_SOA("8.0.90.10.in-addr.arpa.")},
        {"9.9.96.127.in-addr.arpa", ns_t_ptr, "NXDOMAIN aa" REVERSE_SOA("96.127.in-addr.arpa.")},
        {"9.96.127.in-addr.arpa", ns_t_soa, "NOERROR aa" REVERSE_SOA("96.127.in-addr.arpa.")},
        {"96.127.in-addr.arpa", ns_t_ns, "NOERROR aa" REVERSE_SOA("96.127.in-addr.arpa.")},
        {"96.127.in-addr.arpa", ns_t_soa,
         "NOERROR aa\n96.127.in-addr.arpa. SOA ns.dns.cluster.local. hostmaster.cluster.local. "
         "7 2H 30M 1D 5S"},
        {"96.127.in-addr.arpa", ns_t_any,
         "NOERROR aa\n96.127.in-addr.arpa. SOA ns.dns.cluster.local. hostmaster.cluster.local. "
         "7 2H 30M 1D 5S"},
        {"127.in-addr.arpa", ns_t_ns, "REFUSED"},
        {"in-addr.arpa", ns_t_ns, "REFUSED"},
        {"99.2.0.192.in-addr.arpa", ns_t_ptr, "REFUSED"},
        {"01.0.0.10.in-addr.arpa", ns_t_ptr, "REFUSED"},
        {"256.0.0.10.in-addr.arpa", ns_t_ptr, "REFUSED"},
        {"x.in-addr.arpa", ns_t_ptr, "REFUSED"},
        /* what is below a range, and no address: browsers of DNS-SD ask such */
        {"lb._dns-sd._udp.0.0.96.127.in-addr.arpa", ns_t_ptr,
         "NXDOMAIN aa" REVERSE_SOA("96.127.in-addr.arpa.")},
        {"0/25.0.96.127.in-addr.arpa", ns_t_soa, "NXDOMAIN aa" REVERSE_SOA("96.127.in-addr.arpa.")},
        {"256.96.127.in-addr.arpa", ns_t_ptr, "NXDOMAIN aa" REVERSE_SOA("96.127.in-addr.arpa.")},
        {"6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.9.0.0.0.0.d.f.ip6.arpa", ns_t_ptr,
         "NXDOMAIN aa" REVERSE_SOA(
             "6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.9.0.0.0.0.d.f.ip6.arpa.")},
        {"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.0.0.0.0.D.f.ip6.arpa", ns_t_ptr,
         "NOERROR aa\n0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.0.0.0.0.D.f.ip6.arpa. "
         "PTR fd00-60--0.twins." T "."},
        {"f.f.0.0.d.f.ip6.arpa", ns_t_ptr, "REFUSED"},
        {"f.f.f.0.0.d.f.ip6.arpa", ns_t_ptr, "NOERROR aa" REVERSE_SOA("f.f.f.0.0.d.f.ip6.arpa.")},
        {"x.7.f.f.f.0.0.d.f.ip6.arpa", ns_t_ptr,
         "NXDOMAIN aa" REVERSE_SOA("f.f.f.0.0.d.f.ip6.arpa.")},
        {"f.f.f.0.0.0.d.f.ip6.arpa", ns_t_ptr, "REFUSED"},
    };

    (void)state;
    CHECK(&world, questions);
}

static void services(void **state)
{
    static const struct question questions[] = {
        {"svc1." T, ns_t_srv,
         "NOERROR aa\nsvc1." T ". SRV 0 100 80 svc1." T ".\nadditional svc1." T ". A 10.0.0.1"},
        {"_HTTP._tcp.Svc1." T, ns_t_srv,
         "NOERROR aa\n_HTTP._tcp.Svc1." T ". SRV 0 100 80 svc1." T ".\nadditional svc1." T
         ". A 10.0.0.1"},
        {"_http._udp.svc1." T, ns_t_srv, "NXDOMAIN aa" SOA},
        {"svcempty." T, ns_t_srv, "NOERROR aa" SOA},
        {"hdlsprtls." T, ns_t_srv, "NOERROR aa" SOA},
        {"none-ready." T, ns_t_srv, "NXDOMAIN aa" SOA},
        {"absent." T, ns_t_srv, "NXDOMAIN aa" SOA},
        {T, ns_t_srv, "NOERROR aa" SOA},
        {"cluster.local", ns_t_srv, "NOERROR aa" SOA},
        {"10-90-0-1.p.pod.cluster.local", ns_t_srv, "NOERROR aa" SOA},
        /* two pods of one hostname, one of them also by UDP, one with a port of no name */
        {"_http._udp.hdls1." T, ns_t_srv,
         "NOERROR aa"
         "\n_http._udp.hdls1." T ". SRV 0 50 80 172-0-0-2.hdls1." T "."
         "\n_http._udp.hdls1." T ". SRV 0 50 80 5678-abcd--1.hdls1." T "."
         "\nadditional 172-0-0-2.hdls1." T ". A 172.0.0.2"
         "\nadditional 5678-abcd--1.hdls1." T ". AAAA 5678:abcd::1"},
        {"dup-name.hdls1." T, ns_t_srv,
         "NOERROR aa"
         "\ndup-name.hdls1." T ". SRV 0 100 80 dup-name.hdls1." T "."
         "\nadditional dup-name.hdls1." T ". A 172.0.0.4"
         "\nadditional dup-name.hdls1." T ". A 172.0.0.5"},
        {"172-0-0-3.hdls1." T, ns_t_srv,
         "NOERROR aa\n172-0-0-3.hdls1." T ". SRV 0 100 80 172-0-0-3.hdls1." T
         ".\nadditional 172-0-0-3.hdls1." T ". A 172.0.0.3"},
        {"5678-abcd--2.hdls1." T, ns_t_srv, "NOERROR aa" SOA},
        /* also of an alias, which has none of its own */
        {"to-vip." E, ns_t_srv, "NOERROR aa" SOA},
    };

    (void)state;
    CHECK(&world, questions);
}

/* One port name with two numbers, and a port without a name beside ports that have one. */
static void numbers(void **state)
{
    static const struct world_service service = {
        "many",
        "testns",
        ZONE_HEADLESS,
        .addresses = "10.1.0.1 10.1.0.2",
        .endpoints = "a=10.1.0.1;b=10.1.0.2",
        .ports = "http/1:8080=10.1.0.1;http/1:9090=10.1.0.2;http/1:8080=10.1.0.2;/2:53=10.1.0.2"};
    static const struct question questions[] = {
        {"_http._tcp.many." T, ns_t_srv,
         "NOERROR aa"
         "\n_http._tcp.many." T ". SRV 0 33 8080 a.many." T "."
         "\n_http._tcp.many." T ". SRV 0 33 8080 b.many." T "."
         "\n_http._tcp.many." T ". SRV 0 33 9090 b.many." T "."
         "\nadditional a.many." T ". A 10.1.0.1"
         "\nadditional b.many." T ". A 10.1.0.2"},
        {"many." T, ns_t_srv,
         "NOERROR aa"
         "\nmany." T ". SRV 0 25 8080 a.many." T "."
         "\nmany." T ". SRV 0 25 53 b.many." T "."
         "\nmany." T ". SRV 0 25 8080 b.many." T "."
         "\nmany." T ". SRV 0 25 9090 b.many." T "."
         "\nadditional a.many." T ". A 10.1.0.1"
         "\nadditional b.many." T ". A 10.1.0.2"},
        {"_._udp.many." T, ns_t_srv,
         "NOERROR aa\n_._udp.many." T ". SRV 0 100 53 b.many." T ".\nadditional b.many." T
         ". A 10.1.0.2"},
        /* a hostname that looks like the label of another endpoint means both of them */
        {"both." T, ns_t_srv,
         "NOERROR aa"
         "\nboth." T ". SRV 0 100 80 10-1-1-1.both." T "."
         "\nadditional 10-1-1-1.both." T ". A 10.1.1.1"
         "\nadditional 10-1-1-1.both." T ". A 10.1.1.2"},
        {"_http._.many." T, ns_t_a,
         "NOERROR aa\n_http._.many." T ". A 10.1.0.1\n_http._.many." T ". A 10.1.0.2"},
    };
    static const struct world_service both = {"both",
                                              "testns",
                                              ZONE_HEADLESS,
                                              .addresses = "10.1.1.1 10.1.1.2",
                                              .unnamed = "10.1.1.1",
                                              .endpoints = "10-1-1-1=10.1.1.2",
                                              .ports = "/1=10.1.1.1 10.1.1.2"};
    struct dns_world own = dns_world_new(&(struct world_options){.flags = 0});

    (void)state;
    world_put_service(own.writer, &service);
    world_put_service(own.writer, &both);
    snapshot_writer_publish(own.writer);
    assert_true(snapshot_writer_view(own.writer, &own.view));
    CHECK(&own, questions);
    snapshot_writer_free(own.writer);
}

static void search_list(void **state)
{
    static const struct question questions[] = {
        {"api", ns_t_a,
         "NOERROR aa\napi. CNAME api.prod.svc.cluster.local.\napi.prod.svc.cluster.local. A "
         "10.96.1.2"},
        {"db-0.db", ns_t_a,
         "NOERROR aa\ndb-0.db. CNAME db-0.db.prod.svc.cluster.local.\n"
         "db-0.db.prod.svc.cluster.local. A 10.244.4.10"},
        {"db.dev", ns_t_a,
         "NOERROR aa\ndb.dev. CNAME db.dev.svc.cluster.local.\ndb.dev.svc.cluster.local. A "
         "10.96.1.1"},
        {"db.dev.svc", ns_t_aaaa, "NOERROR aa\ndb.dev.svc. CNAME db.dev.svc.cluster.local." SOA},
        {"api", ns_t_cname, "NOERROR aa\napi. CNAME api.prod.svc.cluster.local."},
        {"api", ns_t_any, "NOERROR aa\napi. CNAME api.prod.svc.cluster.local."},
        {"prod", ns_t_a, "REFUSED"},
        {"nobody", ns_t_a, "REFUSED"},
        {"a.b.c.d.e.f", ns_t_a, "REFUSED"},
    };
    struct dns_world own = world;

    (void)state;
    own.ns = "prod";
    CHECK(&own, questions);
}

static void a_zone_without_objects_is_nobody_s(void **state)
{
    static const struct question questions[] = {{"svc1." T, ns_t_a, "REFUSED"},
                                                {"cluster.local", ns_t_soa, "REFUSED"}};
    struct dns_world own = dns_world_new(&(struct world_options){.flags = KUBESVC_SETTINGS_EMPTY});

    (void)state;
    CHECK(&own, questions);
    snapshot_writer_free(own.writer);
}

/* Whatever has no room is left out whole, and additional records before answers. */
static void what_has_no_room(void **state)
{
    g_autoptr(GString) addresses = g_string_new(NULL), ports = g_string_new("http/1=");
    struct world_service service = {"wide", "testns", .type = ZONE_HEADLESS};
    struct dns_world own = dns_world_new(&(struct world_options){.flags = 0});
    unsigned truncated = 0, partly = 0;

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        g_string_append_printf(addresses, "10.1.2.%u ", i);
    g_string_append(ports, addresses->str);
    service.addresses = service.unnamed = addresses->str;
    service.ports = ports->str;
    world_put_service(own.writer, &service);
    snapshot_writer_publish(own.writer);
    assert_true(snapshot_writer_view(own.writer, &own.view));
    for (size_t room = PACKET_UDP_SIZE; room < 6000; room += 7) {
        g_autofree char *srv = answer_of(&own, "wide." T, ns_t_srv, room);
        g_autofree char *a = answer_of(&own, "wide." T, ns_t_a, room);

        assert_non_null(srv);
        assert_non_null(a);
        assert_int_equal(strstr(a, " tc") != NULL, room < 12 + 31 + 4 + 40 * 16);
        truncated += strstr(srv, " tc") != NULL;
        partly += strstr(srv, " tc") == NULL && !strstr(srv, "A 10.1.2.39");
        if (strstr(srv, " tc"))
            assert_null(strstr(srv, "additional"));
    }
    assert_true(truncated > 0 && partly > 0);
    snapshot_writer_free(own.writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(labels_of_any_bytes),
        cmocka_unit_test(zone),
        cmocka_unit_test(aliases),
        cmocka_unit_test(loops),
        cmocka_unit_test(any),
        cmocka_unit_test(reverse),
        cmocka_unit_test(services),
        cmocka_unit_test(numbers),
        cmocka_unit_test(search_list),
        cmocka_unit_test(a_zone_without_objects_is_nobody_s),
        cmocka_unit_test(what_has_no_room),
    };

    return cmocka_run_group_tests(tests, make_world, free_world);
}
