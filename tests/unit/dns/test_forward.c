/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Forwarding over real sockets, to the test's own nameservers: which replies come back, which are
 * rejected, which server is asked when, how much may be pending, and loops.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <cmocka.h>
#include <glib.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns/forward.h"
#include "tests/unit/alarm.h"
#include "tests/unit/fake_nameserver.h"

#define SEC ((uint64_t)1000000)

struct asked {
    struct forward_query *query;
    unsigned replies;
    uint8_t message[600];
    size_t size;
    struct asked *cancels; /* while it is answered */
};

static sd_event *event;
static struct fake_nameserver first, second;
static struct forward *forward;

static void open_forward(const char *const *servers, const char *resolv_conf,
                         const union endpoint *own)
{
    struct forward_options options = {servers, resolv_conf, own, own ? 1 : 0};

    forward = forward_new(event, &options);
}

static char *server_text(const struct fake_nameserver *fake)
{
    return g_strdup_printf("127.0.0.1:%u", fake->port);
}

static void open_both(void)
{
    g_autofree char *a = server_text(&first), *b = server_text(&second);

    open_forward((const char *const[]){a, b, NULL}, NULL, NULL);
}

static int setup(void **state)
{
    (void)state;
    assert_true(sd_event_new(&event) >= 0);
    fake_nameserver_start(&first, event);
    fake_nameserver_start(&second, event);
    second.address[3] = 99;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    forward = forward_free(forward);
    fake_nameserver_stop(&first);
    fake_nameserver_stop(&second);
    event = sd_event_unref(event);
    return 0;
}

/* --- Asking ------------------------------------------------------------------------------------
 */

static size_t make_question(uint8_t message[static 300], uint16_t id, const char *name)
{
    size_t at = NS_HFIXEDSZ;

    memset(message, 0, 300);
    message[0] = (uint8_t)(id >> 8);
    message[1] = (uint8_t)id;
    message[2] = 1; /* RD */
    message[5] = 1;
    while (*name) {
        size_t length = strcspn(name, ".");

        message[at] = (uint8_t)length;
        memcpy(message + at + 1, name, length);
        at += length + 1;
        name += length + (name[length] == '.');
    }
    message[at + 2] = ns_t_a;
    message[at + 4] = ns_c_in;
    return at + 5;
}

static void on_reply(void *userdata, const uint8_t *message, size_t size)
{
    struct asked *asked = userdata;

    asked->replies++;
    asked->query = NULL;
    asked->size = size;
    assert_true(size <= sizeof asked->message);
    if (size > 0)
        memcpy(asked->message, message, size);
    if (asked->cancels)
        asked->cancels->query = forward_cancel(asked->cancels->query);
}

static struct forward_client client_of(struct asked *asked, const char *from, bool tcp)
{
    struct forward_client client = {
        .tcp = tcp, .limit = tcp ? 65535 : 512, .reply = on_reply, .userdata = asked};

    assert_true(endpoint_parse(&client.from, from, 1000));
    return client;
}

static bool start(struct asked *asked, uint16_t id, const char *name, const char *from, bool tcp)
{
    struct forward_client client = client_of(asked, from, tcp);
    uint8_t message[300];
    size_t size = make_question(message, id, name);

    *asked = (struct asked){.query = forward_ask(forward, message, size, &client)};
    return asked->query;
}

static void wait_for(const struct asked *asked, uint64_t limit)
{
    for (ALARM alarm = alarm_new(event, limit); asked->replies == 0;) {
        assert_false(alarm_rang(alarm));
        assert_true(sd_event_run(event, 100000) >= 0);
    }
    assert_int_equal(asked->replies, 1);
}

static struct asked ask_by(const char *name, bool tcp)
{
    struct asked asked;

    assert_true(start(&asked, 0x1234, name, "127.0.0.7", tcp));
    assert_int_equal(asked.replies, 0); /* never before forward_ask returns */
    wait_for(&asked, 20 * SEC);
    if (asked.size > 0)
        assert_memory_equal(asked.message, "\x12\x34", 2);
    return asked;
}

static struct asked ask(const char *name)
{
    return ask_by(name, false);
}

static unsigned rcode(const struct asked *asked)
{
    return asked->size > 0 ? asked->message[3] & 15u : 99;
}

/* The last byte of the address in the one record of the answer. */
static uint8_t last_byte(const struct asked *asked)
{
    assert_true(asked->size > 20);
    assert_int_equal(asked->message[7], 1);
    return asked->message[asked->size - 1];
}

static unsigned asked_in_all(void)
{
    return first.questions + second.questions;
}

/* --- Answers -----------------------------------------------------------------------------------
 */

static void test_answers_come_back_as_they_are(void **state)
{
    struct asked asked;

    (void)state;
    open_both();
    asked = ask("web.example");
    assert_int_equal(last_byte(&asked), 7);
    asked = ask("none.example");
    assert_int_equal(rcode(&asked), ns_r_nxdomain);
    assert_int_equal(asked.message[9], 1); /* the SOA */
    asked = ask("empty.example");
    assert_int_equal(rcode(&asked), ns_r_noerror);
    asked = ask("bare.example");
    assert_int_equal(rcode(&asked), ns_r_formerr);
    assert_int_equal(asked.size, NS_HFIXEDSZ);
    asked = ask("LOUD.example");
    assert_int_equal(last_byte(&asked), 7);
    assert_int_equal(second.questions, 0);
}

static void test_forged_answers_are_ignored(void **state)
{
    struct asked asked;

    (void)state;
    open_both();
    asked = ask("forged.example");
    assert_int_equal(last_byte(&asked), 7);
    assert_int_equal(asked_in_all(), 1);
}

static void test_truncated_answer_leads_to_tcp(void **state)
{
    struct asked asked;

    (void)state;
    fake_nameserver_start_tcp(&first, event);
    open_both();
    asked = ask("big.example");
    assert_int_equal(asked.message[2] & 2, 2);
    assert_int_equal(asked.message[7], 0);
    asked = ask_by("big.example", true);
    assert_int_equal(last_byte(&asked), 7);
    assert_int_equal(first.streams, 1);
    assert_int_equal(first.questions, 1);
}

static void test_answer_beyond_the_limit_is_cut(void **state)
{
    struct asked asked = {0};
    struct forward_client client = client_of(&asked, "127.0.0.7", false);
    uint8_t message[300];
    size_t size = make_question(message, 0x4321, "web.example");

    (void)state;
    open_both();
    client.limit = size + 1;
    assert_non_null(forward_ask(forward, message, size, &client));
    wait_for(&asked, 20 * SEC);
    assert_int_equal(asked.size, size);
    assert_memory_equal(asked.message, "\x43\x21\x83\x80\0\1\0\0\0\0\0\0", NS_HFIXEDSZ);
    assert_memory_equal(asked.message + NS_HFIXEDSZ, message + NS_HFIXEDSZ, size - NS_HFIXEDSZ);
}

static void test_messages_that_are_no_questions(void **state)
{
    struct asked asked = {0};
    struct forward_client client = client_of(&asked, "127.0.0.7", false);
    static const struct {
        size_t at;
        uint8_t value;
    } damages[] = {{2, 0x81}, {2, 0x11}, {5, 0}, {5, 2}, {4, 1}, {12, 64}, {12, 0xc0}, {12, 63}};
    uint8_t good[300];
    size_t size = make_question(good, 1, "web.example");

    (void)state;
    open_both();
    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_autofree uint8_t *bad = g_memdup2(good, size);

        bad[damages[i].at] = damages[i].value;
        assert_null(forward_ask(forward, bad, size, &client));
    }
    for (size_t cut = 0; cut < size; cut++) { /* in memory of exactly its size */
        g_autofree uint8_t *bad = g_memdup2(good, cut);

        assert_null(forward_ask(forward, bad, cut, &client));
    }
    assert_int_equal(asked.replies, 0);
}

/* --- Servers -----------------------------------------------------------------------------------
 */

static void test_next_server_is_asked(void **state)
{
    struct asked asked;

    (void)state;
    open_both();
    asked = ask("late.example"); /* each answers the second time it is asked */
    assert_int_equal(last_byte(&asked), 7);
    assert_int_equal(first.questions, 2);
    assert_int_equal(second.questions, 1);
}

static void test_failing_server_is_passed_over_at_once(void **state)
{
    struct asked asked;
    ALARM soon = alarm_new(event, 300000);

    (void)state;
    open_both();
    asked = ask("fail.example"); /* of both: what they say is better than nothing */
    assert_int_equal(rcode(&asked), ns_r_servfail);
    assert_int_equal(first.questions, 1);
    assert_int_equal(second.questions, 1);
    assert_false(alarm_rang(soon));
}

static void test_server_that_does_not_listen(void **state)
{
    ALARM soon = alarm_new(event, 300000);
    struct fake_nameserver gone;
    struct asked asked;
    g_autofree char *a = NULL, *b = server_text(&second);

    (void)state;
    fake_nameserver_start(&gone, event);
    a = server_text(&gone);
    fake_nameserver_stop(&gone);
    fake_nameserver_start_tcp(&second, event);
    open_forward((const char *const[]){a, b, NULL}, NULL, NULL);
    asked = ask("web.example");
    assert_int_equal(last_byte(&asked), 99);
    asked = ask_by("web.example", true);
    assert_int_equal(last_byte(&asked), 99);
    assert_false(alarm_rang(soon));
}

static void test_dead_servers(void **state)
{
    gint64 started = g_get_monotonic_time();
    struct asked asked;

    (void)state;
    open_both();
    asked = ask("dead.example");
    assert_int_equal(asked.size, 0);
    assert_int_equal(first.questions, 2);
    assert_int_equal(second.questions, 2);
    assert_true(g_get_monotonic_time() - started >= (gint64)(4 * SEC));
}

static void test_dead_server_is_asked_last(void **state)
{
    g_autofree char *a = NULL, *b = server_text(&second);
    struct fake_nameserver deaf;
    struct asked asked[3];

    (void)state;
    fake_nameserver_start(&deaf, event);
    a = server_text(&deaf);
    (void)sd_event_source_set_enabled(deaf.source, SD_EVENT_OFF);
    open_forward((const char *const[]){a, b, NULL}, NULL, NULL);
    for (unsigned i = 0; i < 3; i++)
        assert_true(start(asked + i, 1, (const char *[]){"a.example", "b.example", "c.example"}[i],
                          "127.0.0.7", false));
    assert_int_equal(second.questions, 0);
    for (unsigned i = 0; i < 3; i++)
        wait_for(asked + i, 20 * SEC);

    ALARM soon = alarm_new(event, 300000);
    *asked = ask("web.example");
    assert_false(alarm_rang(soon));
    assert_int_equal(last_byte(asked), 99);
    fake_nameserver_stop(&deaf);
}

static void test_tcp_failures(void **state)
{
    struct asked asked;

    (void)state;
    fake_nameserver_start_tcp(&first, event);
    fake_nameserver_start_tcp(&second, event);
    open_both();
    asked = ask_by("cut.example", true); /* half a message from both */
    assert_int_equal(asked.size, 0);
    asked = ask_by("fail.example", true);
    assert_int_equal(rcode(&asked), ns_r_servfail);
    assert_int_equal(first.streams, 2);
    assert_int_equal(second.streams, 2);
}

static void test_dead_server_by_tcp(void **state)
{
    struct asked asked;

    (void)state;
    fake_nameserver_start_tcp(&first, event);
    fake_nameserver_start_tcp(&second, event);
    open_both();
    asked = ask_by("dead.example", true);
    assert_int_equal(asked.size, 0);
    assert_int_equal(first.streams, 1);
    assert_int_equal(second.streams, 1);
}

/* --- Waiting clients ------------------------------------------------------------------------- */

static void test_equal_questions_share_one(void **state)
{
    struct asked asked[3];

    (void)state;
    open_both();
    for (unsigned i = 0; i < 3; i++)
        assert_true(start(asked + i, (uint16_t)(0x100 + i), "web.example", "127.0.0.7", false));
    asked[0].cancels = asked + 1; /* while it is answered */
    wait_for(asked + 2, 20 * SEC);
    assert_int_equal(asked[0].replies, 1);
    assert_int_equal(asked[1].replies, 0);
    assert_int_equal(asked[0].message[1], 0);
    assert_int_equal(asked[2].message[1], 2);
    assert_int_equal(asked_in_all(), 1);
}

static void test_cancelled(void **state)
{
    struct asked gone[2], asked;

    (void)state;
    open_both();
    for (unsigned i = 0; i < 2; i++)
        assert_true(start(gone + i, 1, "web.example", "127.0.0.7", i == 1));
    for (unsigned i = 0; i < 2; i++)
        forward_cancel(gone[i].query);
    asked = ask("db.example");
    assert_int_equal(last_byte(&asked), 7);
    assert_int_equal(gone[0].replies + gone[1].replies, 0);
    forward_cancel(NULL);
}

static void test_freed_while_asking(void **state)
{
    struct asked asked[4];

    (void)state;
    fake_nameserver_start_tcp(&first, event);
    open_both();
    for (unsigned i = 0; i < 4; i++)
        assert_true(start(asked + i, 1, "dead.example", "127.0.0.7", i % 2));
    forward = forward_free(forward);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(asked[i].replies, 0);
}

static void test_client_has_its_share(void **state)
{
    static struct asked asked[512], more;
    gint64 begun = g_get_monotonic_time();
    bool taken;

    (void)state;
    open_both();
    for (unsigned i = 0; i < G_N_ELEMENTS(asked); i++)
        assert_true(start(asked + i, (uint16_t)i, "dead.example", "127.0.0.7", false));
    taken = start(&more, 1, "dead.example", "127.0.0.7", false) ||
            start(&more, 1, "web.example", "127.0.0.7", false);
    if (taken) /* this took so long that the oldest was given up */
        assert_true(g_get_monotonic_time() - begun > 500 * G_TIME_SPAN_MILLISECOND);
    more = (struct asked){0};
    assert_true(start(&more, 1, "web.example", "127.0.0.8", false)); /* another one */
    wait_for(&more, 20 * SEC);
    forward_cancel(asked[7].query);
    assert_true(start(&more, 1, "web.example", "127.0.0.7", false));
    wait_for(&more, 20 * SEC);
}

/* What has waited longest is given up for what comes, once it has waited long enough. */
static void test_share_goes_round(void **state)
{
    static struct asked asked[512], more;
    gint64 begun = g_get_monotonic_time();
    unsigned given_up = 0;

    (void)state;
    open_both();
    for (unsigned i = 0; i < G_N_ELEMENTS(asked); i++) {
        g_autofree char *name = g_strdup_printf("dead%u.example", i);

        assert_true(start(asked + i, (uint16_t)i, name, "127.0.0.7", false));
    }
    while (!start(&more, 1, "web.example", "127.0.0.7", false))
        assert_true(sd_event_run(event, 10000) >= 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(asked); i++)
        given_up += asked[i].replies;
    if (g_get_monotonic_time() - begun < 4 * G_USEC_PER_SEC) /* before any has no more servers */
        assert_int_equal(given_up, 1);
    assert_int_equal(asked[0].replies, 1);
    assert_int_equal(asked[0].size, 0);
    wait_for(&more, 20 * SEC);
    assert_int_equal(last_byte(&more), 7);
}

static void test_questions_by_tcp_are_limited(void **state)
{
    static struct asked asked[128], equal, more;

    (void)state;
    open_both();
    for (unsigned i = 0; i < G_N_ELEMENTS(asked); i++) {
        g_autofree char *name = g_strdup_printf("dead%u.example", i);

        if (i == 64) { /* the share of one client */
            assert_false(start(&more, 1, name, "127.0.0.7", true));
            assert_true(start(&equal, 1, "dead1.example", "127.0.0.7", true));
        }
        assert_true(start(asked + i, 1, name, i < 64 ? "127.0.0.7" : "127.0.0.8", true));
    }
    assert_false(start(&more, 1, "web.example", "127.0.0.9", true));
    assert_true(start(&more, 1, "web.example", "127.0.0.9", false));
    forward_cancel(asked[7].query);
    assert_false(start(&more, 1, "web.example", "127.0.0.8", true));
    assert_true(start(&more, 1, "web.example", "127.0.0.7", true));
}

/* --- Which servers there are -------------------------------------------------------------------
 */

static void test_no_server(void **state)
{
    struct asked asked;

    (void)state;
    open_forward((const char *const[]){NULL}, NULL, NULL);
    assert_false(start(&asked, 1, "web.example", "127.0.0.7", false));
}

static void test_own_addresses_are_not_asked(void **state)
{
    g_autofree char *a = server_text(&first), *b = server_text(&second);
    struct asked asked;
    union endpoint own;

    (void)state;
    assert_true(endpoint_parse(&own, a, 53));
    open_forward((const char *const[]){a, b, NULL}, NULL, &own);
    asked = ask("web.example");
    assert_int_equal(last_byte(&asked), 99);
    assert_int_equal(first.questions, 0);
    forward = forward_free(forward);

    own.inet.sin_addr.s_addr = htonl(INADDR_ANY); /* of any address of this host */
    open_forward((const char *const[]){a, b, NULL}, NULL, &own);
    asked = ask("db.example");
    assert_int_equal(last_byte(&asked), 99);
    assert_int_equal(first.questions, 0);
}

static void test_what_may_be_asked(void **state)
{
    (void)state;
    assert_null(forward_parse_server("resolv.conf"));
    assert_null(forward_parse_server("192.0.2.1:5353"));
    assert_null(forward_parse_server("2001:db8::1"));
    assert_non_null(forward_parse_server("dns.example"));
    assert_non_null(forward_parse_server("0.0.0.0"));
    assert_non_null(forward_parse_server(""));
}

struct loop {
    int fd;
    unsigned questions, refused;
};

/* Asks the relay what arrives, as a front does; nothing is answered. */
static int on_looped(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    static struct asked asked;
    struct loop *loop = userdata;
    struct forward_client client = client_of(&asked, "127.0.0.7", false);
    socklen_t size = sizeof client.from;
    uint8_t message[512];
    ssize_t n = recvfrom(fd, message, sizeof message, 0, &client.from.any, &size);

    (void)source;
    (void)revents;
    assert_true(n > 0);
    loop->questions++;
    if (forward_ask(forward, message, (size_t)n, &client))
        return 0;
    loop->refused++;
    message[2] |= 0x80;
    message[3] |= ns_r_servfail;
    assert_int_equal(sendto(fd, message, (size_t)n, 0, &client.from.any, size), n);
    return 0;
}

static void test_loop(void **state)
{
    union endpoint here;
    socklen_t size = sizeof here;
    struct loop loop = {socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 0, 0};
    sd_event_source *source;
    g_autofree char *b = server_text(&second);
    char text[ENDPOINT_TEXT_MAX];
    struct asked asked;

    (void)state;
    assert_true(loop.fd >= 0 && endpoint_parse(&here, "127.0.0.1", 1));
    here.inet.sin_port = 0;
    assert_int_equal(bind(loop.fd, &here.any, size), 0);
    assert_int_equal(getsockname(loop.fd, &here.any, &size), 0);
    endpoint_format(&here, text);
    assert_true(sd_event_add_io(event, &source, loop.fd, EPOLLIN, on_looped, &loop) >= 0);

    open_forward((const char *const[]){text, b, NULL}, NULL, NULL);
    asked = ask("web.example");
    assert_int_equal(last_byte(&asked), 99);
    assert_int_equal(loop.refused, 1);
    asked = ask("db.example"); /* it is not asked again */
    assert_int_equal(last_byte(&asked), 99);
    assert_int_equal(loop.questions, 1);
    sd_event_source_disable_unref(source);
    close(loop.fd);
}

/* From where this process is connected to that port by TCP; false: it is not. */
static bool connected_from(uint16_t port, union endpoint *own)
{
    for (int fd = 0; fd < 1024; fd++) {
        union endpoint peer = {0};
        socklen_t own_size = sizeof *own, peer_size = sizeof peer, type_size = sizeof(int);
        int type = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 && type == SOCK_STREAM &&
            getpeername(fd, &peer.any, &peer_size) == 0 && peer.any.sa_family == AF_INET &&
            endpoint_port(&peer) == port && getsockname(fd, &own->any, &own_size) == 0)
            return true;
    }
    return false;
}

/* A client may have the port of a relay's connection, as theirs lead to different servers. */
static void test_a_port_that_a_client_has_too_is_no_loop(void **state)
{
    struct asked asked[2], other;
    struct forward_client client;
    uint8_t message[300];
    size_t size = make_question(message, 2, "dead.example");

    (void)state;
    fake_nameserver_start_tcp(&first, event);
    open_both();
    assert_true(start(asked, 1, "dead.example", "127.0.0.7", true));
    client = client_of(asked + 1, "127.0.0.7", true);
    assert_true(connected_from(first.port, &client.from));
    asked[1] = (struct asked){.query = forward_ask(forward, message, size, &client)};
    assert_non_null(asked[1].query);
    other = ask("web.example");
    assert_int_equal(last_byte(&other), 7); /* of the first one */
}

/* --- resolv.conf -------------------------------------------------------------------------------
 */

static void write_conf(const char *path, const char *text)
{
    g_autofree char *new = g_strconcat(path, ".new", NULL);

    assert_true(g_file_set_contents(new, text, -1, NULL));
    assert_int_equal(rename(new, path), 0);
}

static void wait_for_refusal_to_end(struct asked *asked)
{
    ALARM alarm = alarm_new(event, 20 * SEC);

    while (!start(asked, 1, "web.example", "127.0.0.7", false)) {
        assert_false(alarm_rang(alarm));
        assert_true(sd_event_run(event, 100000) >= 0);
    }
    wait_for(asked, 20 * SEC);
}

static void test_resolv_conf_is_followed(void **state)
{
    g_autofree char *directory = g_dir_make_tmp("kubesvc-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "resolv.conf", NULL);
    g_autofree char *other = g_build_filename(directory, "other", NULL);
    g_autofree char *a = NULL, *b = NULL;
    struct asked asked;

    (void)state;
    a = g_strdup_printf("# comment\nsearch example\nnameserver\t127.0.0.1:%u # the first\n"
                        "nameserver 0.0.0.0\nnameserver nonsense\nnameserver\n",
                        first.port);
    b = g_strdup_printf("options edns0\nnameserver   127.0.0.1:%u\n", second.port);
    open_forward((const char *const[]){"resolv.conf", NULL}, path, NULL);
    assert_false(start(&asked, 1, "web.example", "127.0.0.7", false));

    write_conf(path, a);
    wait_for_refusal_to_end(&asked);
    assert_int_equal(last_byte(&asked), 7);

    /* What is under way is asked of the new server; which comes by a link this time. */
    assert_true(start(&asked, 1, "late.example", "127.0.0.7", false));
    write_conf(other, b);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("other", path), 0);
    first.questions = 0; /* its next one is not answered */
    second.questions = 1;
    wait_for(&asked, 20 * SEC);
    assert_int_equal(last_byte(&asked), 99);

    forward = forward_free(forward);
    unlink(path);
    unlink(other);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_answers_come_back_as_they_are),
        TEST(test_forged_answers_are_ignored),
        TEST(test_truncated_answer_leads_to_tcp),
        TEST(test_answer_beyond_the_limit_is_cut),
        TEST(test_messages_that_are_no_questions),
        TEST(test_next_server_is_asked),
        TEST(test_failing_server_is_passed_over_at_once),
        TEST(test_server_that_does_not_listen),
        TEST(test_dead_servers),
        TEST(test_dead_server_is_asked_last),
        TEST(test_tcp_failures),
        TEST(test_dead_server_by_tcp),
        TEST(test_equal_questions_share_one),
        TEST(test_cancelled),
        TEST(test_freed_while_asking),
        TEST(test_client_has_its_share),
        TEST(test_share_goes_round),
        TEST(test_share_goes_round),
        TEST(test_questions_by_tcp_are_limited),
        TEST(test_no_server),
        TEST(test_own_addresses_are_not_asked),
        TEST(test_what_may_be_asked),
        TEST(test_loop),
        TEST(test_a_port_that_a_client_has_too_is_no_loop),
        TEST(test_resolv_conf_is_followed),
    };

    return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
