/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses: every spelling is one address, and each address has one text.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/resolve/dashed.h"
#include "lib/util/address.h"

static bool parses(const char *text)
{
    struct address address;

    return address_parse(&address, text, strlen(text));
}

static void assert_text(const char *text, const char *canonical)
{
    struct address address;
    char out[ADDRESS_TEXT_MAX];

    assert_true(address_parse(&address, text, strlen(text)));
    address_format(&address, out);
    assert_string_equal(out, canonical);
}

static void spellings(void **state)
{
    (void)state;
    assert_text("10.0.0.1", "10.0.0.1");
    assert_text("010.000.0.001", "10.0.0.1");
    assert_text("0.0.0.0", "0.0.0.0");
    assert_text("255.255.255.255", "255.255.255.255");
    assert_text("::ffff:10.0.0.1", "10.0.0.1");
    assert_text("::FFFF:0a00:0001", "10.0.0.1");
    assert_text("::ffff:010.0.0.01", "10.0.0.1");
    assert_text("0:0:0:0:0:ffff:255.255.255.255", "255.255.255.255");
    assert_text("FD00:90::6", "fd00:90::6");
    assert_text("fd00:0090:0000:0::0006", "fd00:90::6");
    assert_text("::", "::");
    assert_text("::1", "::1");
    assert_text("1::", "1::");
    assert_text("::1.2.3.4", "::102:304");
    assert_text("64:ff9b::1.2.3.4", "64:ff9b::102:304");
    assert_text("1111:2222:3333:4444:5555:6666:123.123.123.123",
                "1111:2222:3333:4444:5555:6666:7b7b:7b7b");
}

/* RFC 5952: the first longest run of zeroes, never a single group. */
static void compression(void **state)
{
    (void)state;
    assert_text("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
    assert_text("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
    assert_text("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
    assert_text("0:0:1:0:0:0:0:0", "0:0:1::");
    assert_text("1:0:0:0:0:0:0:0", "1::");
    assert_text("0:0:0:0:0:0:0:1", "::1");
    assert_text("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void no_addresses(void **state)
{
    static const char *const texts[] = {"",
                                        "1",
                                        "1.2.3",
                                        "1.2.3.4.5",
                                        "1.2.3.256",
                                        "1.2.3.-4",
                                        "1.2.3.4 ",
                                        " 1.2.3.4",
                                        "1.2.3.",
                                        ".1.2.3",
                                        "1..2.3",
                                        "0x1.2.3.4",
                                        "1.2.3.4/8",
                                        "1.2.3.4:80",
                                        "99999999999999999999.1.1.1",
                                        "a.b.c.d",
                                        ":",
                                        ":::",
                                        "1::2::3",
                                        "12345::",
                                        "1:2:3:4:5:6:7",
                                        "fe80::1%lo",
                                        "[::1]",
                                        "::1/128",
                                        "g::",
                                        "1:2:3:4:5:6:7:8:9",
                                        "::ffff:1.2.3",
                                        "1.2.3.4::",
                                        "None",
                                        "::ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:1.2.3.4"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (parses(texts[i]))
            fail_msg("%s is taken for an address", texts[i]);
}

static void length_counts(void **state)
{
    struct address address, kept = {.bytes = {7}};

    (void)state;
    assert_true(address_parse(&address, "10.0.0.12", 8));
    assert_int_equal(address.bytes[15], 1);
    assert_false(address_parse(&kept, "1.2.3.4\0", 8));
    assert_false(address_parse(&kept, "::1\0", 4));
    assert_int_equal(kept.bytes[0], 7);
}

static void loopback(void **state)
{
    static const struct {
        const char *text;
        bool expected;
    } samples[] = {{"127.0.0.1", true},  {"127.9.9.9", true},   {"::1", true},
                   {"128.0.0.1", false}, {"10.0.0.127", false}, {"::", false},
                   {"fe80::1", false},   {"::2", false}};
    struct address address;
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        assert_true(address_parse(&address, samples[i].text, strlen(samples[i].text)));
        assert_int_equal(address_is_loopback(&address), samples[i].expected);
    }
}

static void special(void **state)
{
    static const char *const ordinary[] = {"1.0.0.0",     "126.255.255.255", "128.0.0.1",
                                           "169.253.1.1", "169.255.1.1",     "223.255.255.255",
                                           "240.0.0.1",   "255.255.255.254", "::2",
                                           "fd00::1",     "fe00::1",         "fec0::1"};
    static const char *const others[] = {
        "127.0.0.1", "0.0.0.0", "0.1.2.3", "169.254.1.1", "224.0.0.1",       "239.1.2.3",     "::1",
        "::",        "fe80::1", "febf::1", "ff02::1",     "255.255.255.255", "::ffff:0.0.0.0"};
    struct address address;
    (void)state;
    for (size_t i = 0; i < sizeof ordinary / sizeof ordinary[0]; i++) {
        assert_true(address_parse(&address, ordinary[i], strlen(ordinary[i])));
        assert_false(address_is_special(&address));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_true(address_parse(&address, others[i], strlen(others[i])));
        assert_true(address_is_special(&address));
    }
}

/* What is written is read back as the same address, and as the C library reads it. */
static void round_trip(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        struct address address, again;
        char text[ADDRESS_TEXT_MAX];
        uint8_t libc[16];

        for (size_t j = 0; j < sizeof address.bytes; j++)
            address.bytes[j] = rand() % 3 == 0 ? (uint8_t)rand() : 0;
        address_format(&address, text);
        assert_true(address_parse(&again, text, strlen(text)));
        assert_int_equal(address_compare(&address, &again), 0);
        if (address_family(&address) == 6) {
            assert_int_equal(inet_pton(AF_INET6, text, libc), 1);
            assert_memory_equal(libc, address.bytes, sizeof libc);
        }
    }
}

static void assert_dashed(const char *text, const char *label)
{
    struct address address;
    char out[DASHED_MAX];

    assert_true(address_parse(&address, text, strlen(text)));
    assert_int_equal(dashed_format(address.bytes, out), strlen(label));
    assert_string_equal(out, label);
}

static void dashed(void **state)
{
    (void)state;
    assert_dashed("10.0.0.1", "10-0-0-1");
    assert_dashed("fd00:90::6", "fd00-90--6");
    assert_dashed("1234::", "1234--0");
    assert_dashed("1111:2222:3333:4444:5555:6666:7777:8888",
                  "1111-2222-3333-4444-5555-6666-7777-8888");
}

static bool contains(const char *range_text, const char *text)
{
    struct address_range range;
    struct address address;

    assert_true(address_range_parse(&range, range_text));
    assert_true(address_parse(&address, text, strlen(text)));
    return address_range_contains(&range, &address);
}

static void ranges(void **state)
{
    struct address_range range;

    (void)state;
    assert_true(contains("10.96.0.0/16", "10.96.0.0"));
    assert_true(contains("10.96.0.0/16", "10.96.255.255"));
    assert_false(contains("10.96.0.0/16", "10.97.0.0"));
    assert_true(contains("10.96.0.0/13", "10.103.1.1"));
    assert_false(contains("10.96.0.0/13", "10.104.0.0"));
    assert_true(contains("0.0.0.0/0", "255.1.1.1"));
    assert_true(contains("1.2.3.4/32", "1.2.3.4"));
    assert_false(contains("1.2.3.4/32", "1.2.3.5"));
    assert_true(contains("fd00:10::/108", "fd00:10::f:ffff"));
    assert_false(contains("fd00:10::/108", "fd00:10::10:0"));
    assert_true(contains("::/0", "fd00::1"));
    assert_false(contains("::/0", "10.0.0.1"));
    assert_false(contains("0.0.0.0/0", "::1"));

    assert_true(address_range_parse(&range, "10.0.0.0/8"));
    assert_int_equal(range.prefix, 104);
    char text[ADDRESS_RANGE_TEXT_MAX];
    address_range_format(&range, text);
    assert_string_equal(text, "10.0.0.0/8");
    assert_true(address_range_parse(&range, "fd00:10::/108"));
    address_range_format(&range, text);
    assert_string_equal(text, "fd00:10::/108");
    assert_false(address_range_parse(&range, "10.0.0.1/8"));
    assert_false(address_range_parse(&range, "fd00::1/64"));
    assert_false(address_range_parse(&range, "10.0.0.0/33"));
    assert_false(address_range_parse(&range, "fd00::/129"));
    assert_false(address_range_parse(&range, "10.0.0.0"));
    assert_false(address_range_parse(&range, "10.0.0.0/"));
    assert_false(address_range_parse(&range, "10.0.0.0/-1"));
    assert_false(address_range_parse(&range, "10.0.0.0/8x"));
    assert_false(address_range_parse(&range, "10.0.0.0/0000"));
    assert_false(address_range_parse(&range, "/8"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings),    cmocka_unit_test(compression),
        cmocka_unit_test(no_addresses), cmocka_unit_test(length_counts),
        cmocka_unit_test(loopback),     cmocka_unit_test(special),
        cmocka_unit_test(round_trip),   cmocka_unit_test(dashed),
        cmocka_unit_test(ranges),
    };

    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
