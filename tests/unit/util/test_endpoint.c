/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Endpoints: what is one as text, what is not, and what it becomes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdlib.h>

#include "lib/util/endpoint.h"

static void test_texts(void **state)
{
    static const struct {
        const char *text, *written;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1:53"},
        {"192.0.2.1:5353", "192.0.2.1:5353"},
        {"127.0.0.1:65535", "127.0.0.1:65535"},
        {"2001:DB8::1", "[2001:db8::1]:53"},
        {"[2001:db8::1]", "[2001:db8::1]:53"},
        {"[2001:db8::1]:1", "[2001:db8::1]:1"},
        {"::", "[::]:53"},
        {"fe80::1%lo", "[fe80::1%lo]:53"},
        {"[fe80::1%lo]:54", "[fe80::1%lo]:54"},
        {"::ffff:192.0.2.1", "192.0.2.1:53"},
    };
    char text[ENDPOINT_TEXT_MAX];
    union endpoint endpoint, again;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(endpoint_parse(&endpoint, rows[i].text, 53));
        endpoint_format(&endpoint, text);
        assert_string_equal(text, rows[i].written);
        assert_true(endpoint_parse(&again, text, 1));
        assert_true(endpoint_equal(&endpoint, &again));
    }
}

static void test_no_endpoints(void **state)
{
    static const char *const texts[] = {"",
                                        ":53",
                                        "example.com",
                                        "192.0.2.1:",
                                        "192.0.2.1:0",
                                        "192.0.2",
                                        "192.0.2.1:x",
                                        "192.0.2.1:-1",
                                        "192.0.2.1:65536",
                                        "192.0.2.1:99999999999",
                                        "[192.0.2.1",
                                        "[192.0.2.1]",
                                        "[::1]53",
                                        "[::1]:",
                                        "[::1",
                                        "::1]",
                                        "192.0.2.1%lo",
                                        "fe80::1%",
                                        "fe80::1%no-such-if"};
    union endpoint endpoint;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (endpoint_parse(&endpoint, texts[i], 53))
            fail_msg("\"%s\" is taken for an endpoint", texts[i]);
    }
}

static bool is_wildcard(const char *text)
{
    union endpoint endpoint;

    assert_true(endpoint_parse(&endpoint, text, 53));
    return endpoint_is_wildcard(&endpoint);
}

static void test_wildcards(void **state)
{
    (void)state;
    assert_true(is_wildcard("0.0.0.0"));
    assert_true(is_wildcard("[::]:53"));
    assert_false(is_wildcard("127.0.0.1"));
    assert_false(is_wildcard("::1"));
}

static void test_equality(void **state)
{
    union endpoint a, b, mapped = {.inet6 = {.sin6_family = AF_INET6, .sin6_port = htons(53)}};

    (void)state;
    assert_true(endpoint_parse(&a, "192.0.2.1", 53) && endpoint_parse(&b, "192.0.2.1:54", 53));
    assert_false(endpoint_equal(&a, &b));
    /* as a socket of both families says it */
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.inet6.sin6_addr), 1);
    assert_true(endpoint_equal(&a, &mapped));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_no_endpoints),
        cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_equality),
    };

    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
