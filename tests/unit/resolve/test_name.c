/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names: validity, suffixes at label boundaries, and which can be ours at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/resolve/name.h"

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

static bool valid(const char *name)
{
    return name_is_valid(name, strlen(name));
}

static bool reserved(const char *name)
{
    return name_is_reserved(name, strlen(name));
}

static bool may_be_ours(const char *name)
{
    return name_may_be_ours(name, strlen(name));
}

static bool suffix(const char *name, const char *end)
{
    return name_has_suffix(name, strlen(name), end, strlen(end));
}

static void test_valid_names(void **state)
{
    static const char *const names[] = {
        "a",
        "0",
        "web",
        "WEB.Moon",
        "1kubernetes",
        "_http._tcp.web",
        "a-",
        "a_b",
        LABEL_63,
        "10-0-0-1.moon.pod.cluster.local",
        LABEL_63 "." LABEL_63 "." LABEL_63,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_true(valid(names[i]));
}

static void test_invalid_names(void **state)
{
    static const char *const names[] = {
        "",     ".",    "a.",  ".a",    "a..b", "-a",         "a.-b",           "a b",
        "a\nb", "a\tb", "*",   "*.svc", "a/b",  "a:b",        "\xc3\xbc",       "a.\xff",
        "a%b",  "a\\b", "a@b", "a.b.",  "..",   "x" LABEL_63, LABEL_63 "x.svc",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_false(valid(names[i]));
    assert_false(name_is_valid("a\0b", 3));
}

static void test_namespaces(void **state)
{
    static const char *const good[] = {"a", "moon", LABEL_63, "moon@east", "moon@east.example"};
    static const char *const bad[] = {"",      "a.b", "@",    "a@",     "@b",  "a@b@c",
                                      "a.b@c", "-a",  "a@-b", "a@b..c", "a b", LABEL_63 "x"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(name_is_namespace(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (name_is_namespace(bad[i], strlen(bad[i])))
            fail_msg("%s", bad[i]);
}

static void test_length_limit(void **state)
{
    char name[KUBESVC_NAME_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = i % 2 ? '.' : 'a';
    assert_true(name_is_valid(name, KUBESVC_NAME_MAX));
    assert_false(name_is_valid(name, KUBESVC_NAME_MAX + 2));
    name[KUBESVC_NAME_MAX] = 'a';
    name[KUBESVC_NAME_MAX - 1] = 'a';
    assert_false(name_is_valid(name, KUBESVC_NAME_MAX + 1));
}

/* No byte but those of the rule, wherever it stands. */
static void test_every_byte(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char name[] = {'a', (char)c, 'b'};
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        assert_int_equal(name_is_valid(name, 3), letter || c == '-' || c == '_' || c == '.');
        assert_int_equal(name_fold((char)c), (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c));
    }
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(name_equal("API.Moon", 8, "api.mOON", 8));
    assert_true(name_equal("", 0, "x", 0));
    assert_false(name_equal("api", 3, "apis", 4));
    assert_false(name_equal("a[", 2, "a{", 2)); /* 0x20 apart, no letters */
    assert_false(name_equal("a@", 2, "a`", 2));
    assert_false(name_equal("\xc4", 1, "\xe4", 1));
}

static void test_suffix(void **state)
{
    (void)state;
    assert_true(suffix("web.svc", "svc"));
    assert_true(suffix("web.SVC", "svc"));
    assert_true(suffix("svc", "svc"));
    assert_true(suffix("a.cluster.local", "Cluster.Local"));
    assert_false(suffix("asvc", "svc"));
    assert_false(suffix("x.svc.evil.com", "svc"));
    assert_false(suffix("notcluster.local", "cluster.local"));
    assert_false(suffix("vc", "svc"));
}

static void test_reserved(void **state)
{
    (void)state;
    assert_true(reserved("web.moon.svc"));
    assert_true(reserved("web.SVC"));
    assert_true(reserved("anything.at.all.Cluster.LOCAL"));
    assert_true(reserved("cluster.local"));
    assert_true(reserved("bad..svc"));
    assert_false(reserved("svc"));
    assert_false(reserved("web"));
    assert_false(reserved("web.moon"));
    assert_false(reserved("notcluster.local"));
    assert_false(reserved("web.moon.svc.example.org"));
    assert_false(reserved(""));
}

static void test_may_be_ours(void **state)
{
    static const char *const ours[] = {
        "web",
        "web.moon",
        "web.moon.svc",
        "a.b.c.d",
        "_http._tcp.web.moon",
        "github.com",
        "a.b.c.d.e.cluster.local",
        "a.b.c.d.SVC.example.org",
        "10-0-0-1.moon.Pod.example.org.x",
        "one.two.three.four.svc",
        "localhost.moon",
        "x.localhost",
    };
    static const char *const foreign[] = {
        "localhost",
        "LocalHost",
        "a.b.c.www.example.com",
        "1.2.3.4.5.in-addr.arpa",
        "a.b.c.d.notcluster.local",
        "a.b.c.asvc.e",
        "a.b.c.pods.e",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
        assert_true(may_be_ours(ours[i]));
    for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
        assert_false(may_be_ours(foreign[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_names),  cmocka_unit_test(test_invalid_names),
        cmocka_unit_test(test_length_limit), cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_namespaces),   cmocka_unit_test(test_equal),
        cmocka_unit_test(test_suffix),       cmocka_unit_test(test_reserved),
        cmocka_unit_test(test_may_be_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
