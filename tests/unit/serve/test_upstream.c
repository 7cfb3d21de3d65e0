/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * External names: asked over real sockets, of a nameserver of the test's own that counts and fails
 * at will, and of dnsmasq where it is installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/serve/dns_client.h"
#include "daemon/serve/dns_message.h"
#include "daemon/serve/upstream.h"
#include "tests/unit/alarm.h"
#include "tests/unit/fake_nameserver.h"
#include "tests/unit/skip_test.h"

#define SEC ((uint64_t)1000000)
#define PATIENCE (60 * SEC) /* with other processes */

static sd_event *event;
static struct fake_nameserver fake;
static struct upstream *upstream;
static unsigned answered;

static void on_answered(void *userdata)
{
    (void)userdata;
    answered++;
}

static uint64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * SEC + (uint64_t)ts.tv_nsec / 1000;
}

static GPtrArray *servers_at(uint16_t port)
{
    GPtrArray *servers = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(servers, g_strdup_printf("127.0.0.1:%u", port));
    return servers;
}

static void open_external(uint16_t port)
{
    g_autoptr(GPtrArray) servers = servers_at(port);

    assert_int_equal(upstream_new(&upstream, event, servers, on_answered, NULL), 0);
}

static int setup(void **state)
{
    (void)state;
    answered = 0;
    assert_true(sd_event_new(&event) >= 0);
    fake_nameserver_start(&fake, event);
    open_external(fake.port);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    upstream = upstream_free(upstream);
    fake_nameserver_stop(&fake);
    event = sd_event_unref(event);
    return 0;
}

static struct external_answer lookup(const char *name, enum kubesvc_family family)
{
    struct external_answer answer;

    upstream_lookup(upstream, name, family, &answer);
    return answer;
}

static struct external_answer wait_for(const char *name, enum kubesvc_family family, uint64_t limit)
{
    ALARM alarm = alarm_new(event, limit);
    struct external_answer answer = lookup(name, family);

    while (answer.state == EXTERNAL_PENDING) {
        unsigned before = answered;

        while (answered == before) {
            assert_false(alarm_rang(alarm));
            assert_true(sd_event_run(event, 100000) >= 0);
        }
        answer = lookup(name, family);
    }
    return answer;
}

static struct external_answer ask(const char *name, enum kubesvc_family family)
{
    return wait_for(name, family, 3 * SEC);
}

static struct external_answer ask4(const char *name)
{
    return ask(name, KUBESVC_FAMILY_INET);
}

/* Lets the loop run for a while: only for what is known to take time, such as a TTL. */
static void pass(uint64_t usec)
{
    for (uint64_t end = now() + usec, t; (t = now()) < end;)
        assert_true(sd_event_run(event, end - t) >= 0);
    assert_true(sd_event_run(event, 0) >= 0); /* from here on the loop knows the time */
}

static void test_address(void **state)
{
    struct external_answer answer = lookup("db.test", KUBESVC_FAMILY_INET);

    (void)state;
    assert_int_equal(answer.state, EXTERNAL_PENDING);
    answer = ask4("db.test");
    assert_int_equal(answer.state, EXTERNAL_FOUND);
    assert_int_equal(answer.n_addresses, 1);
    assert_memory_equal(answer.addresses, fake.address, 4);
    assert_int_equal(answer.n_aliases, 0);
    assert_int_equal(ask("db.test", KUBESVC_FAMILY_INET6).state, EXTERNAL_NODATA);
}

static void test_alias(void **state)
{
    struct external_answer answer = ask4("far.test");

    (void)state;
    assert_int_equal(answer.state, EXTERNAL_FOUND);
    assert_int_equal(answer.n_aliases, 1);
    assert_string_equal(answer.aliases[0], "Near.test");
    answer = ask4("loop.test");
    assert_int_equal(answer.state, EXTERNAL_NODATA);
    answer = ask4("odd.test");
    assert_int_equal(answer.state, EXTERNAL_NODATA);
}

static void test_many_questions_make_one_query(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(lookup(i % 2 ? "db.test" : "DB.Test", KUBESVC_FAMILY_INET).state,
                         EXTERNAL_PENDING);
    assert_int_equal(ask4("db.test").state, EXTERNAL_FOUND);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(lookup("db.test", KUBESVC_FAMILY_INET).state, EXTERNAL_FOUND);
    assert_int_equal(fake.questions, 1);
    assert_int_equal(answered, 1);
}

static void test_ttl_is_kept(void **state)
{
    (void)state;
    assert_int_equal(ask4("ttl1.test").state, EXTERNAL_FOUND);
    assert_int_equal(ask4("ttl0.test").state, EXTERNAL_FOUND); /* usable once, though it is 0 */
    assert_int_equal(ask4("ttl60.test").state, EXTERNAL_FOUND);
    assert_int_equal(fake.questions, 3);
    pass(1200000);
    assert_int_equal(ask4("ttl1.test").state, EXTERNAL_FOUND);
    assert_int_equal(ask4("ttl0.test").state, EXTERNAL_FOUND);
    assert_int_equal(ask4("ttl60.test").state, EXTERNAL_FOUND);
    assert_int_equal(fake.questions, 5);
}

static void test_absence_is_kept_for_the_soa_minimum(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(ask4("none.test").state, EXTERNAL_NODATA);
        assert_int_equal(ask4("empty.test").state, EXTERNAL_NODATA);
    }
    assert_int_equal(fake.questions, 2);
    pass(1200000);
    assert_int_equal(ask4("none.test").state, EXTERNAL_NODATA);
    assert_int_equal(ask4("empty.test").state, EXTERNAL_NODATA);
    assert_int_equal(fake.questions, 4);
}

static void test_failure(void **state)
{
    ALARM second = alarm_new(event, SEC);

    (void)state;
    assert_int_equal(ask4("fail.test").state, EXTERNAL_FAILED);
    assert_int_equal(lookup("fail.test", KUBESVC_FAMILY_INET).state, EXTERNAL_FAILED);
    assert_false(alarm_rang(second));
    pass(1200000);
    assert_int_equal(lookup("fail.test", KUBESVC_FAMILY_INET).state, EXTERNAL_PENDING);
}

static void test_nobody_listens(void **state)
{
    (void)state;
    fake_nameserver_stop(&fake);
    assert_int_equal(wait_for("db.test", KUBESVC_FAMILY_INET, 6 * SEC).state, EXTERNAL_FAILED);
    fake_nameserver_start(&fake, event);
}

static void test_dead_nameserver_fails_in_time_and_delays_nobody(void **state)
{
    ALARM second = alarm_new(event, SEC);
    uint64_t start = now();

    (void)state;
    assert_int_equal(lookup("dead.test", KUBESVC_FAMILY_INET).state, EXTERNAL_PENDING);
    for (int i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("db-%c%c.test", 'a' + i / 10, 'a' + i % 10);

        assert_int_equal(ask4(name).state, EXTERNAL_FOUND);
    }
    assert_false(alarm_rang(second));
    assert_int_equal(wait_for("dead.test", KUBESVC_FAMILY_INET, 6 * SEC).state, EXTERNAL_FAILED);
    assert_true(now() - start > 3 * SEC);
}

static void test_queries_are_bounded(void **state)
{
    unsigned pending = 0, failed = 0;

    (void)state;
    for (int i = 0; i < 300; i++) {
        g_autofree char *name = g_strdup_printf("dead%d.test", i);
        struct external_answer answer = lookup(name, KUBESVC_FAMILY_INET);

        pending += answer.state == EXTERNAL_PENDING;
        failed += answer.state == EXTERNAL_FAILED;
    }
    assert_int_equal(pending, 256);
    assert_int_equal(failed, 44);
}

static void test_entries_are_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < 4200; i++) {
        g_autofree char *name = g_strdup_printf("n%d-.test", i);

        assert_int_equal(ask4(name).state, EXTERNAL_FOUND);
        if (i % 100 == 0) /* keeps this one in use */
            assert_int_equal(ask4("kept.test").state, EXTERNAL_FOUND);
    }
    assert_int_equal(fake.questions, 4201);
    assert_int_equal(ask4("kept.test").state, EXTERNAL_FOUND);
    assert_int_equal(ask4("n4199-.test").state, EXTERNAL_FOUND);
    assert_int_equal(fake.questions, 4201);
    assert_int_equal(ask4("n0-.test").state, EXTERNAL_FOUND);
    assert_int_equal(fake.questions, 4202);
}

static void test_pointers_last_until_the_loop_runs(void **state)
{
    struct external_answer answer = ask4("far.test");

    (void)state;
    for (int i = 0; i < 250; i++) {
        g_autofree char *name = g_strdup_printf("dead%d.test", i);

        (void)lookup(name, KUBESVC_FAMILY_INET);
    }
    assert_memory_equal(answer.addresses, fake.address, 4);
    assert_string_equal(answer.aliases[0], "Near.test");
}

static void test_other_nameservers_take_over(void **state)
{
    struct fake_nameserver other;
    g_autoptr(GPtrArray) servers = NULL;
    struct external_answer answer;

    (void)state;
    fake_nameserver_start(&other, event);
    other.address[3] = 99;
    assert_int_equal(ask4("db.test").state, EXTERNAL_FOUND);
    fake_nameserver_stop(&fake); /* the next question is under way when they change */
    assert_int_equal(lookup("under-way.test", KUBESVC_FAMILY_INET).state, EXTERNAL_PENDING);
    servers = servers_at(other.port);
    assert_int_equal(upstream_configure(upstream, servers), 0);
    answer = ask4("under-way.test");
    assert_int_equal(answer.state, EXTERNAL_FOUND);
    assert_int_equal(answer.addresses[3], 99);
    answer = ask4("db.test");
    assert_int_equal(answer.addresses[3], 99);
    fake_nameserver_stop(&other);
    fake_nameserver_start(&fake, event);
}

static void test_bad_nameservers_change_nothing(void **state)
{
    g_autoptr(GPtrArray) servers = g_ptr_array_new();
    struct upstream *none = NULL;

    (void)state;
    g_ptr_array_add(servers, (char *)"not-an-address");
    assert_int_equal(upstream_configure(upstream, servers), -EINVAL);
    assert_int_equal(upstream_new(&none, event, servers, on_answered, NULL), -EINVAL);
    assert_null(none);
    assert_int_equal(ask4("db.test").state, EXTERNAL_FOUND);
}

static void test_freed_while_asking(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        g_autofree char *name = g_strdup_printf("dead%d.test", i);

        (void)lookup(name, KUBESVC_FAMILY_INET6);
    }
    pass(20000);
}

static void test_names_that_cannot_be_asked(void **state)
{
    char name[400];

    (void)state;
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(lookup(name, KUBESVC_FAMILY_INET).state, EXTERNAL_FAILED);
    name[100] = '\0'; /* a label that is too long: known at once */
    assert_int_equal(ask4(name).state, EXTERNAL_FAILED);
}

/* --- The hosts file ----------------------------------------------------------------------------
 */

/* Where c-ares looks for it cannot be changed, so the file is: in a mount namespace of a child's.
 */
static int ask_with_hosts(const char *hosts)
{
    struct external_answer answer;

    if (unshare(CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER)) < 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount(hosts, "/etc/hosts", NULL, MS_BIND, NULL) < 0)
        return 77;
    (void)setup(NULL);
    answer = lookup("Db.example", KUBESVC_FAMILY_INET); /* known without waiting */
    if (answer.state != EXTERNAL_FOUND || answer.n_addresses != 1 || answer.addresses[3] != 33 ||
        answer.n_aliases != 1 || strcmp(answer.aliases[0], "real.example") != 0)
        return 1;
    answer = lookup("db.example", KUBESVC_FAMILY_INET6);
    if (answer.state != EXTERNAL_FOUND || answer.addresses[15] != 0x34)
        return 2;
    answer = ask4("elsewhere.example"); /* not in the file: the nameserver knows */
    if (answer.state != EXTERNAL_FOUND || fake.questions != 1)
        return 3;
    (void)teardown(NULL);
    return 0;
}

static void test_hosts_file(void **state)
{
    char path[] = "/tmp/kubesvc-hosts-XXXXXX";
    static const char text[] = "192.0.2.33 real.example db.example\n2001:db8::34 db.example\n";
    int fd = mkstemp(path), status;
    pid_t pid;

    (void)state;
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    pid = fork();
    if (pid == 0)
        _exit(ask_with_hosts(path));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    unlink(path);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip_test("no mount namespaces here");
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- resolv.conf -------------------------------------------------------------------------------
 */

struct followed {
    char *directory, *path;
    struct dns_client *nameservers;
    unsigned changes;
    uint8_t last; /* of the address that was answered last */
    unsigned answers;
};

static void on_changed(void *userdata)
{
    ((struct followed *)userdata)->changes++;
}

static void on_reply(void *userdata, const uint8_t *message, size_t size)
{
    struct followed *followed = userdata;
    struct dns_message *reply = dns_message_new();

    if (message)
        dns_message_read(reply, message, size, "db.test", KUBESVC_FAMILY_INET);
    followed->last = reply->addresses->len == 4 ? reply->addresses->data[3] : 0;
    followed->answers++;
    dns_message_free(reply);
}

static void write_file(const char *path, const char *nameserver)
{
    g_autofree char *new = g_strconcat(path, ".new", NULL);
    g_autofree char *text = g_strdup_printf("search example\nnameserver %s\n", nameserver);

    assert_true(g_file_set_contents(new, text, -1, NULL));
    assert_int_equal(rename(new, path), 0);
}

static void wait_for_change(struct followed *followed, unsigned before)
{
    for (ALARM three = alarm_new(event, 3 * SEC); followed->changes == before;) {
        assert_false(alarm_rang(three));
        assert_true(sd_event_run(event, 100000) >= 0);
    }
}

static uint8_t ask_followed(struct followed *followed)
{
    unsigned before = followed->answers;

    dns_client_ask(followed->nameservers, "db.test", KUBESVC_FAMILY_INET, on_reply, followed);
    for (ALARM six = alarm_new(event, 6 * SEC); followed->answers == before;) {
        assert_false(alarm_rang(six));
        assert_true(sd_event_run(event, 100000) >= 0);
    }
    return followed->last;
}

static void test_resolv_conf_is_followed(void **state)
{
    struct followed followed = {0};
    g_autoptr(GPtrArray) none = NULL;
    char first[16], second[16];
    struct fake_nameserver a, b;

    (void)state;
    snprintf(first, sizeof first, "127.%u.53.1", 1 + (unsigned)getpid() % 254);
    snprintf(second, sizeof second, "127.%u.53.2", 1 + (unsigned)getpid() % 254);
    if (!fake_nameserver_start_at(&a, event, first))
        skip_test("needs root: resolv.conf leads to port 53");
    none = g_ptr_array_new();
    assert_true(fake_nameserver_start_at(&b, event, second));
    b.address[3] = 99;
    followed.directory = g_dir_make_tmp("kubesvc-XXXXXX", NULL);
    followed.path = g_build_filename(followed.directory, "resolv.conf", NULL);

    write_file(followed.path, first);
    assert_int_equal(
        dns_client_new(&followed.nameservers, event, none, followed.path, on_changed, &followed),
        0);
    assert_int_equal(ask_followed(&followed), 7);
    write_file(followed.path, second);
    wait_for_change(&followed, 0);
    assert_int_equal(ask_followed(&followed), 99);
    assert_int_equal(a.questions, 1);

    dns_client_free(followed.nameservers);
    fake_nameserver_stop(&a);
    fake_nameserver_stop(&b);
    unlink(followed.path);
    assert_int_equal(rmdir(followed.directory), 0);
    g_free(followed.path);
    g_free(followed.directory);
}

/* --- Messages ----------------------------------------------------------------------------------
 */

/* far.test: a CNAME to near.test, whose address follows, and an unrelated record. */
static const uint8_t message[] = {
    0,   1,   0x81, 0x80, 0,   1,    0,  3,    0,  0, 0, 0, 3, 'f', 'a', 'r', 4, 't', 'e',
    's', 't', 0,    0,    1,   0,    1,  0xc0, 12, 0, 5, 0, 1, 0,   0,   0,   9, 0,   7,
    4,   'n', 'e',  'a',  'r', 0xc0, 16, /* far -> near */
    4,   'e', 'v',  'i',  'l', 0xc0, 16, 0,    1,  0, 1, 0, 0, 0,   1,   0,   4, 6,   6,
    6,   6,   0xc0, 38,   0,   1,    0,  1,    0,  0, 0, 5, 0, 4,   10,  0,   0, 1,
};

static struct dns_message *read_message(const uint8_t *data, size_t size)
{
    struct dns_message *reply = dns_message_new();

    dns_message_read(reply, data, size, "FAR.test", KUBESVC_FAMILY_INET);
    return reply;
}

static void test_message(void **state)
{
    struct dns_message *reply = read_message(message, sizeof message);

    (void)state;
    assert_int_equal(reply->state, EXTERNAL_FOUND);
    assert_int_equal(reply->addresses->len, 4);
    assert_memory_equal(reply->addresses->data, "\x0a\0\0\1", 4);
    assert_int_equal(reply->aliases->len, 1);
    assert_string_equal(reply->aliases->pdata[0], "near.test");
    assert_int_equal(reply->ttl, 5);
    dns_message_free(reply);
}

/* Every prefix, in memory of exactly its size, a byte too many, and every single damaged byte. */
static void test_damaged_messages(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof message; size++) {
        g_autofree uint8_t *copy = g_memdup2(message, size);
        struct dns_message *reply = read_message(copy, size);

        assert_int_equal(reply->state, EXTERNAL_FAILED);
        dns_message_free(reply);
    }
    g_autofree uint8_t *longer = g_malloc0(sizeof message + 1);
    struct dns_message *reply;
    memcpy(longer, message, sizeof message);
    reply = read_message(longer, sizeof message + 1);
    assert_int_equal(reply->state, EXTERNAL_FAILED);
    dns_message_free(reply);
    for (size_t i = 0; i < sizeof message; i++)
        for (unsigned value = 0; value < 256; value++) {
            g_autofree uint8_t *copy = g_memdup2(message, sizeof message);

            copy[i] = (uint8_t)value;
            reply = read_message(copy, sizeof message);
            assert_true(reply->state != EXTERNAL_FOUND || reply->addresses->len >= 4);
            for (unsigned a = 0; a < reply->aliases->len; a++)
                assert_true(strlen(reply->aliases->pdata[a]) <= KUBESVC_NAME_MAX);
            dns_message_free(reply);
        }
}

/* --- dnsmasq -----------------------------------------------------------------------------------
 */

static const char *dnsmasq_path(void)
{
    static const char *const paths[] = {"/usr/sbin/dnsmasq", "/sbin/dnsmasq", "/usr/bin/dnsmasq"};

    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
        if (access(paths[i], X_OK) == 0)
            return paths[i];
    return NULL;
}

static pid_t start_dnsmasq(const char *path, uint16_t port)
{
    g_autofree char *at = g_strdup_printf("--port=%u", port);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(path, path, "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
          "--log-facility=/dev/null", "--pid-file=", "--user=", "--bind-interfaces",
          "--listen-address=127.0.0.1", "--no-ping", at, "--local=/test/",
          "--host-record=db.test,192.0.2.1,2001:db8::1", "--host-record=db.test,192.0.2.2",
          "--host-record=four.test,192.0.2.4", "--cname=mid.test,db.test",
          "--cname=www.test,mid.test", "--local-ttl=30", NULL);
    _exit(127);
}

/* Asks until something comes back. */
static bool is_answering(pid_t pid, uint16_t port)
{
    static const uint8_t question[] = {0, 1, 1,   0,   0,   1,   0, 0, 0, 0, 0,
                                       0, 4, 't', 'e', 's', 't', 0, 0, 1, 0, 1};
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval wait = {.tv_usec = 50000};
    bool answers = false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
    for (uint64_t deadline = now() + PATIENCE; !answers && now() < deadline;) {
        uint8_t reply[512];

        if (waitpid(pid, NULL, WNOHANG) == pid)
            break;
        if (send(fd, question, sizeof question, MSG_NOSIGNAL) < 0 || recv(fd, reply, 512, 0) < 0) {
            if (errno == ECONNREFUSED)
                usleep(5000);
            continue;
        }
        answers = true;
    }
    close(fd);
    return answers;
}

/* A process that is not given the processor counts as a dead nameserver, and is asked again. */
static struct external_answer ask_dnsmasq(const char *name, enum kubesvc_family family)
{
    struct external_answer answer;

    for (uint64_t deadline = now() + PATIENCE; now() < deadline; pass(SEC / 10)) {
        answer = wait_for(name, family, PATIENCE);
        if (answer.state != EXTERNAL_FAILED)
            break;
    }
    return answer;
}

static void test_dnsmasq(void **state)
{
    const char *path = dnsmasq_path();
    uint16_t port = fake.port;
    struct external_answer answer;
    uint8_t address[16];
    pid_t pid = -1;

    (void)state;
    if (!path)
        skip_test("needs dnsmasq");
    /* On the port of the fake one, which makes room for it. */
    upstream = upstream_free(upstream);
    fake_nameserver_stop(&fake);
    pid = start_dnsmasq(path, port);
    assert_true(is_answering(pid, port));
    open_external(port);

    answer = ask_dnsmasq("db.test", KUBESVC_FAMILY_INET);
    assert_int_equal(answer.state, EXTERNAL_FOUND);
    assert_int_equal(answer.n_addresses, 2);
    answer = ask_dnsmasq("www.test", KUBESVC_FAMILY_INET6);
    assert_int_equal(answer.state, EXTERNAL_FOUND);
    assert_int_equal(answer.n_addresses, 1);
    inet_pton(AF_INET6, "2001:db8::1", address);
    assert_memory_equal(answer.addresses, address, 16);
    assert_int_equal(answer.n_aliases, 2);
    assert_string_equal(answer.aliases[0], "mid.test");
    assert_string_equal(answer.aliases[1], "db.test");
    assert_int_equal(ask_dnsmasq("four.test", KUBESVC_FAMILY_INET6).state, EXTERNAL_NODATA);
    assert_int_equal(ask_dnsmasq("missing.test", KUBESVC_FAMILY_INET).state, EXTERNAL_NODATA);

    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    fake_nameserver_start(&fake, event);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_address),
        TEST(test_alias),
        TEST(test_many_questions_make_one_query),
        TEST(test_ttl_is_kept),
        TEST(test_absence_is_kept_for_the_soa_minimum),
        TEST(test_failure),
        TEST(test_nobody_listens),
        TEST(test_dead_nameserver_fails_in_time_and_delays_nobody),
        TEST(test_queries_are_bounded),
        TEST(test_entries_are_bounded),
        TEST(test_pointers_last_until_the_loop_runs),
        TEST(test_other_nameservers_take_over),
        TEST(test_bad_nameservers_change_nothing),
        TEST(test_freed_while_asking),
        TEST(test_names_that_cannot_be_asked),
        cmocka_unit_test(test_hosts_file),
        TEST(test_resolv_conf_is_followed),
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_damaged_messages),
        TEST(test_dnsmasq),
    };

    return cmocka_run_group_tests_name("external", tests, NULL, NULL);
}
