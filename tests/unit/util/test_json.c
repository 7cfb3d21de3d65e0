/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON that reports and the command line consist of, to the byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "lib/util/json.h"

static void write_all(struct json *json)
{
    json_open(json, NULL);
    json_text(json, "text", "a \"b\"\n\xc3\xa4");
    json_text(json, "none", NULL);
    json_text(json, "bytes", "a\xff");
    json_number(json, "number", UINT64_MAX);
    json_bool(json, "bool", false);
    json_time(json, "time", UINT64_C(1767323045999999));
    json_time(json, "never", 0);
    json_raw(json, "raw", "[1]");
    json_open(json, "empty");
    json_close(json);
    json_open_list(json, "list");
    json_open_list(json, NULL);
    json_close_list(json);
    json_open(json, NULL);
    json_text(json, "a", "");
    json_close(json);
    json_close_list(json);
}

static void on_one_line(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    struct json *json = json_new(false, json_to_string, text);

    (void)state;
    for (int i = 0; i < 2; i++) {
        write_all(json);
        json_close_line(json);
        assert_string_equal(text->str,
                            "{\"text\":\"a \\\"b\\\"\\n\xc3\xa4\",\"bytes\":\"a\xef\xbf\xbd\","
                            "\"number\":18446744073709551615,\"bool\":false,"
                            "\"time\":\"2026-01-02T03:04:05Z\",\"raw\":[1],\"empty\":{},"
                            "\"list\":[[],{\"a\":\"\"}]}\n");
        g_string_truncate(text, 0);
    }
    json_free(json);
}

static void on_several_lines(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    struct json *json = json_new(true, json_to_string, text);

    (void)state;
    json_open(json, NULL);
    json_open_list(json, "a");
    json_close_list(json);
    json_open_list(json, "b");
    json_number(json, NULL, 1);
    json_close_list(json);
    json_close(json);
    json_free(json);
    assert_string_equal(text->str, "{\n    \"a\": [],\n    \"b\": [\n        1\n    ]\n}\n");
}

/* A value of its own is a whole as well. */
static void nothing_in_it(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    struct json *json = json_new(false, json_to_string, text);

    (void)state;
    json_open(json, NULL);
    json_close_line(json);
    json_open_list(json, NULL);
    json_close_list(json);
    json_free(json);
    assert_string_equal(text->str, "{}\n[]");
    json = json_new(false, json_to_string, text);
    json_text(json, NULL, "a");
    json_free(json);
    assert_string_equal(text->str, "{}\n[]\"a\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_one_line),
        cmocka_unit_test(on_several_lines),
        cmocka_unit_test(nothing_in_it),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
