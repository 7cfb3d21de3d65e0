/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a nameserver gets to see of an exchange.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/dns_exchange.h"

/* A question for the address of "a". */
static const uint8_t question[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1};

static void on_answer(void *userdata, uint8_t *message, size_t size)
{
    (void)userdata, (void)message, (void)size;
    fail_msg("there is no answer");
}

static int server_new(int type, union endpoint *address)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    assert_true(endpoint_parse(address, "127.0.0.1", ENDPOINT_DNS));
    address->inet.sin_port = 0; /* any */
    assert_int_equal(bind(fd, &address->any, endpoint_size(address)), 0);
    assert_int_equal(getsockname(fd, &address->any, &size), 0);
    return fd;
}

/* A stream in which the same bytes came again would have lost its frames. */
static void by_tcp_it_is_sent_once(void **state)
{
    uint8_t buffer[DNS_MESSAGE_MAX], seen[3 * sizeof question];
    union endpoint address;
    sd_event *event = NULL;
    int listener = server_new(SOCK_STREAM, &address);

    (void)state;
    assert_int_equal(listen(listener, 1), 0);
    assert_true(sd_event_new(&event) >= 0);
    struct dns_exchange *exchange =
        dns_exchange_new(event, true, &address, question, sizeof question, buffer, on_answer, NULL);
    assert_non_null(exchange);
    int peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
    assert_true(sd_event_run(event, UINT64_MAX) > 0);
    assert_true(dns_exchange_repeat(exchange));
    dns_exchange_free(exchange);
    assert_int_equal(recv(peer, seen, sizeof seen, MSG_WAITALL), 2 + sizeof question);
    assert_int_equal(seen[0] << 8 | seen[1], sizeof question);
    assert_memory_equal(seen + 4, question + 2, sizeof question - 2);
    close(peer);
    close(listener);
    sd_event_unref(event);
}

static void by_udp_it_is_sent_again(void **state)
{
    uint8_t buffer[DNS_MESSAGE_MAX], first[sizeof question + 1], second[sizeof first];
    union endpoint address;
    sd_event *event = NULL;
    int server = server_new(SOCK_DGRAM, &address);

    (void)state;
    assert_true(sd_event_new(&event) >= 0);
    struct dns_exchange *exchange = dns_exchange_new(event, false, &address, question,
                                                     sizeof question, buffer, on_answer, NULL);
    assert_non_null(exchange);
    assert_true(dns_exchange_repeat(exchange));
    assert_int_equal(recv(server, first, sizeof first, 0), sizeof question);
    assert_int_equal(recv(server, second, sizeof second, 0), sizeof question);
    assert_memory_equal(first, second, sizeof question);
    dns_exchange_free(exchange);
    close(server);
    sd_event_unref(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_tcp_it_is_sent_once),
        cmocka_unit_test(by_udp_it_is_sent_again),
    };

    return cmocka_run_group_tests_name("dns_exchange", tests, NULL, NULL);
}
