/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON of runtimes is read as yajl reads it, whatever is in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "daemon/runtime/json_scan.h"

#define DEPTH_MAX 8u

struct seen {
    GString *events;
    unsigned depth;
};

static void see(void *userdata, char what, const char *text, size_t length)
{
    const struct seen *seen = userdata;

    g_string_append_printf(seen->events, "%c%zu:", what, length);
    g_string_append_len(seen->events, text, (gssize)length);
}

static void on_text(void *userdata, const char *text, size_t length)
{
    see(userdata, 't', text, length);
}

static void on_key(void *userdata, const char *text, size_t length)
{
    see(userdata, 'k', text, length);
}

static void on_number(void *userdata)
{
    see(userdata, 'n', "", 0);
}

static bool on_begin(void *userdata)
{
    struct seen *seen = userdata;

    see(userdata, '+', "", 0);
    return seen->depth++ < DEPTH_MAX;
}

static void on_end(void *userdata)
{
    ((struct seen *)userdata)->depth--;
    see(userdata, '-', "", 0);
}

static int yajl_on_text(void *userdata, const unsigned char *text, size_t length)
{
    on_text(userdata, (const char *)text, length);
    return true;
}

static int yajl_on_key(void *userdata, const unsigned char *text, size_t length)
{
    on_key(userdata, (const char *)text, length);
    return true;
}

static int yajl_on_number(void *userdata, const char *text, size_t length)
{
    (void)text, (void)length;
    on_number(userdata);
    return true;
}

static int yajl_on_begin(void *userdata)
{
    return on_begin(userdata);
}

static int yajl_on_end(void *userdata)
{
    on_end(userdata);
    return true;
}

static bool scan(const char *text, size_t length, GString *events)
{
    static const struct json_events callbacks = {on_text, on_key, on_number, on_begin, on_end};
    struct seen seen = {events, 0};
    /* In memory of its own, so that reading beyond the end is noticed. */
    g_autofree char *copy = g_memdup2(text, length);

    return json_scan(copy, length, &callbacks, &seen);
}

static bool scan_by_yajl(const char *text, size_t length, GString *events)
{
    static const yajl_callbacks callbacks = {
        .yajl_number = yajl_on_number,
        .yajl_string = yajl_on_text,
        .yajl_map_key = yajl_on_key,
        .yajl_start_map = yajl_on_begin,
        .yajl_end_map = yajl_on_end,
        .yajl_start_array = yajl_on_begin,
        .yajl_end_array = yajl_on_end,
    };
    struct seen seen = {events, 0};
    yajl_handle parser = yajl_alloc(&callbacks, NULL, &seen);
    /* The newline shows yajl a token that has begun behind the value. */
    bool good = yajl_parse(parser, (const unsigned char *)text, length) == yajl_status_ok &&
                yajl_parse(parser, (const unsigned char *)"\n", 1) == yajl_status_ok &&
                yajl_complete_parse(parser) == yajl_status_ok;

    yajl_free(parser);
    return good;
}

/* What is not JSON may have made some events until that was found out. yajl accepts longer forms of
 * characters than necessary, which are not UTF-8. */
static bool compare(const char *text, size_t length)
{
    g_autoptr(GString) ours = g_string_new(NULL), theirs = g_string_new(NULL);
    bool good = scan(text, length, ours);
    bool expected = scan_by_yajl(text, length, theirs) && g_utf8_validate_len(text, length, NULL);

    if (good != expected || (good && !g_string_equal(ours, theirs))) {
        g_autofree char *shown = g_strescape(text, NULL);
        fail_msg("%s: %d %s, and by yajl %d %s", shown, good, ours->str, expected, theirs->str);
    }
    return good;
}

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char *const good[] = {
    "{}",
    "[]",
    " [ ] \r\n\t",
    "\"\"",
    "\"a\"",
    "0",
    "-0",
    "10.50e-3",
    "1E+2",
    "null",
    "true",
    "[true,false,null]",
    "{\"a\":1}",
    "{\"a\":{\"b\":[\"c\",2,[]]},\"d\":\"e\"}",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"",
    "\"12345678\xc3\xa9\"",
    "\"\xe2\x82\xac " LONG " \xf0\x9f\x98\x80\"",
    "\"" LONG LONG "\"",
    "\"" LONG "\\\\\"",
    "[\"a\\\\\",\"\\\\\\\"b\"]",
    "\"\x7f\"",
    "[[[[[[[[]]]]]]]]",
};

static const char *const bad[] = {
    "",
    " ",
    "{",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,}",
    "{a:1}",
    "{1:1}",
    "{\"a\" 1}",
    "[1 2]",
    "\"",
    "\"a",
    "\"\\",
    "\"\\\"",
    "\"\\q\"",
    "\"\\u\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"a\nb\"",
    "\"12345678\x1f\"",
    "\"\x80\"",
    "\"\xc3\"",
    "\"\xc0\x80\"",
    "\"" LONG "\xff\"",
    "nul",
    "nulls",
    "tru",
    "01",
    "-",
    "1.",
    ".5",
    "1e",
    "+1",
    "[1]]",
    "{}{}",
    "[}",
    "{]",
    "'a'",
    "[[[[[[[[[]]]]]]]]]",
    "/**/1",
};

static void it_is_read_as_by_yajl(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        assert_true(compare(good[i], strlen(good[i])));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(compare(bad[i], strlen(bad[i])));
}

/* yajl reads any two halves of a character, and calls half of one "?". */
static bool has_half(const GString *text)
{
    return strstr(text->str, "\\ud") || strstr(text->str, "\\uD");
}

static void spoil(GString *text, GRand *random)
{
    static const char bytes[] = "\"\\{}[]:,0-.eEu/d8 \x01\xc3\x80\xf0n";
    guint32 at = (guint32)g_rand_int_range(random, 0, (gint32)text->len);
    char byte = bytes[g_rand_int_range(random, 0, sizeof bytes - 1)];

    switch (g_rand_int_range(random, 0, 4)) {
    case 0: text->str[at] = byte; break;
    case 1: g_string_insert_c(text, (gssize)at, byte); break;
    case 2: g_string_truncate(text, at); break;
    default: g_string_erase(text, (gssize)at, 1);
    }
}

static void spoiled_text_is_read_as_by_yajl(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);

    (void)state;
    for (unsigned i = 0; i < 60000; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_string_printf(text, "[%s,{\"%s\":%s}]", good[i % G_N_ELEMENTS(good)], LONG,
                        good[i / 7 % G_N_ELEMENTS(good)]);
        for (int n = g_rand_int_range(random, 1, 4); n > 0 && text->len > 0; n--)
            spoil(text, random);
        if (!has_half(text))
            (void)compare(text->str, text->len);
    }
}

static void what_is_escaped_has_a_limit(void **state)
{
    (void)state;
    for (unsigned n = JSON_ESCAPED_MAX - 1; n <= JSON_ESCAPED_MAX; n++) {
        g_autofree char *rest = g_strnfill(n, 'a');
        g_autofree char *text = g_strdup_printf("\"%s\\n\"", rest);
        g_autofree char *expected = g_strdup_printf("t%u:%s\n", JSON_ESCAPED_MAX, rest);
        g_autoptr(GString) events = g_string_new(NULL);

        assert_true(scan(text, strlen(text), events));
        assert_string_equal(events->str, n < JSON_ESCAPED_MAX ? expected : "t0:");
    }
}

static void halves_of_characters_are_replaced(void **state)
{
    static const char *const halves[] = {"\"\\ud83d\"", "\"\\ude00\"", "\"\\ud83d\\n\"",
                                         "\"\\ud83d\\u0041\""};
    static const char *const expected[] = {"t3:\xef\xbf\xbd", "t3:\xef\xbf\xbd",
                                           "t4:\xef\xbf\xbd\n",
                                           "t4:\xef\xbf\xbd"
                                           "A"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(halves); i++) {
        g_autoptr(GString) events = g_string_new(NULL);
        assert_true(scan(halves[i], strlen(halves[i]), events));
        assert_string_equal(events->str, expected[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_read_as_by_yajl),
        cmocka_unit_test(spoiled_text_is_read_as_by_yajl),
        cmocka_unit_test(what_is_escaped_has_a_limit),
        cmocka_unit_test(halves_of_characters_are_replaced),
    };

    return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}
