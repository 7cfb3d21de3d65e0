/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text for people and for programs: nothing that a terminal would obey, and still the same data.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <yaml.h>

#include "cli/json_text.h"
#include "cli/suggest.h"
#include "cli/text.h"
#include "cli/value.h"
#include "cli/yaml_text.h"
#include "lib/util/escape.h"

static void expect_clean(const char *text, const char *expected)
{
    g_autofree char *clean = text_clean(text);
    assert_string_equal(clean, expected);
}

static void texts_are_cleaned(void **state)
{
    (void)state;
    expect_clean(NULL, "<none>");
    expect_clean("", "");
    expect_clean("web-0 (ready)", "web-0 (ready)");
    expect_clean("bäh 漢字", "bäh 漢字");
    expect_clean("a\x1b[31mb", "a\\x1b[31mb");
    expect_clean("\a\b\t\n\r\x7f", "\\x07\\x08\\x09\\x0a\\x0d\\x7f");
    expect_clean("\xc2\x9b"
                 "31m",
                 "\\xc2\\x9b31m");                   /* CSI of C1 */
    expect_clean("\xe2\x80\xae", "\\xe2\\x80\\xae"); /* turns the direction */
    expect_clean("\xe2\x80\xa8", "\\xe2\\x80\\xa8"); /* ends a line */
    expect_clean("a\xff\xc3", "a\\xff\\xc3");        /* no UTF-8 */
    expect_clean("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
    expect_clean("\xc0\x9b", "\\xc0\\x9b");          /* ESC, too long */
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(text_width(""), 0);
    assert_int_equal(text_width("web"), 3);
    assert_int_equal(text_width("bäh"), 3);
    assert_int_equal(text_width("漢字"), 4);
    assert_int_equal(text_width("a\xcc\x88"), 1);
    assert_int_equal(text_width("\033[31mbad\033[0m"), 3);
}

static void names_in_order(void **state)
{
    static const char *const ordered[] = {"",      "10.0.0.2", "10.0.0.10", "a",
                                          "a-2",   "a-10",     "a-10-1",    "b",
                                          "b0000", "web-2x",   "web-10"};

    (void)state;
    for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++)
        for (size_t j = 0; j < sizeof ordered / sizeof *ordered; j++)
            assert_int_equal(text_compare(ordered[i], ordered[j]), (i > j) - (i < j));
}

/* Through the writer and back. */
static char *json_round(const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);
    struct json *json = json_new(false, json_text_to_string, out);
    json_open(json, NULL);
    json_text(json, "v", text);
    json_close(json);
    json_free(json);
    for (const char *at = out->str; *at; at = g_utf8_next_char(at))
        assert_false(escape_is_harmful(g_utf8_get_char(at)));
    yajl_val value = value_parse(out->str);
    assert_non_null(value);
    char *back = g_strdup(value_text(value, "v"));
    yajl_tree_free(value);
    return back;
}

static void json_is_the_same_and_harmless(void **state)
{
    static const char *const texts[] = {"",
                                        "web",
                                        "\"\\/",
                                        "\n\t\r\b\f",
                                        "\x01\x1b[31m\x7f",
                                        "bäh 漢字 \xf0\x9f\x98\x80",
                                        "\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xef\xbb\xbf",
                                        "\xf3\xa0\x81\x81"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        g_autofree char *back = json_round(texts[i]);
        assert_string_equal(back, texts[i]);
    }
    g_autofree char *broken = json_round("a\xff");
    assert_string_equal(broken, "a\xef\xbf\xbd");
}

static void json_keeps_its_form(void **state)
{
    yajl_val value = value_parse("{\"a\":[1,2.5,true,false,null,\"x\"],\"b\":{},\"c\":[],"
                                 "\"d\":[{\"e\":-7}]}");
    g_autoptr(GString) line = g_string_new(NULL), text = g_string_new(NULL);

    (void)state;
    json_text_append_line(line, value);
    assert_string_equal(line->str, "{\"a\":[1,2.5,true,false,null,\"x\"],\"b\":{},\"c\":[],"
                                   "\"d\":[{\"e\":-7}]}");
    yajl_val d = value_element(value, "d", 0);
    json_text_append(text, d, 1);
    assert_string_equal(text->str, "{\n        \"e\": -7\n    }");
    yajl_tree_free(value);
}

/* What a parser makes of "v: ..." in block style: the text, and whether it was plain. */
static char *yaml_round(const char *json_text, bool *plain)
{
    yajl_val value = value_parse(json_text);
    g_autoptr(GString) yaml = g_string_new(NULL);
    yaml_parser_t parser;
    yaml_document_t document;

    yaml_text_append(yaml, value);
    yajl_tree_free(value);
    for (const char *at = yaml->str; *at; at = g_utf8_next_char(at))
        assert_true(*at == '\n' || !escape_is_harmful(g_utf8_get_char(at)));
    assert_true(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml->str, yaml->len);
    assert_true(yaml_parser_load(&parser, &document));
    const yaml_node_t *root = yaml_document_get_root_node(&document);
    const yaml_node_t *node =
        yaml_document_get_node(&document, root->data.mapping.pairs.start->value);
    assert_int_equal(node->type, YAML_SCALAR_NODE);
    *plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    char *text = g_strndup((const char *)node->data.scalar.value, node->data.scalar.length);
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return text;
}

static void yaml_strings_stay_strings(void **state)
{
    static const struct {
        const char *json, *text;
        bool plain;
    } cases[] = {
        {"\"web\"", "web", true},
        {"\"10.0.0.1\"", "10.0.0.1", true},
        {"\"/etc/x.yaml\"", "/etc/x.yaml", true},
        {"\"no\"", "no", false},
        {"\"True\"", "True", false},
        {"\"null\"", "null", false},
        {"\"~\"", "~", false},
        {"\"1\"", "1", false},
        {"\"1e3\"", "1e3", false},
        {"\"10:30\"", "10:30", false},
        {"\"2026-11-23\"", "2026-11-23", false},
        {"\"::1\"", "::1", false},
        {"\"\"", "", false},
        {"\"a: b\"", "a: b", false},
        {"\"a #b\"", "a #b", false},
        {"\"-a\"", "-a", false},
        {"\"*a\"", "*a", false},
        {"\" a \"", " a ", false},
        {"\"a\\nb\"", "a\nb", false},
        {"\"\\u001b[31m\\u009b\\u202e\"", "\x1b[31m\xc2\x9b\xe2\x80\xae", false},
        {"7", "7", true},
        {"true", "true", true},
        {"null", "null", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool plain;
        g_autofree char *json = g_strdup_printf("{\"v\":%s}", cases[i].json);
        g_autofree char *text = yaml_round(json, &plain);
        assert_string_equal(text, cases[i].text);
        if (plain != cases[i].plain)
            print_error("%s\n", cases[i].json);
        assert_int_equal(plain, cases[i].plain);
    }
}

static char *nearest(const char *word, const char *const *candidates)
{
    struct suggestion suggestion = {.word = word};
    for (; *candidates; candidates++)
        suggestion_offer(&suggestion, *candidates);
    return suggestion.nearest;
}

static void what_was_meant(void **state)
{
    static const char *const commands[] = {"query", "get", "describe", "status", "export", NULL};
    static const char *const cases[][2] = {
        {"gte", "get"},       {"staus", "status"},  {"qeury", "query"}, {"descirbe", "describe"},
        {"exprot", "export"}, {"frobnicate", NULL}, {"x", NULL},        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        g_autofree char *found = nearest(cases[i][0], commands);
        if (cases[i][1])
            assert_string_equal(found, cases[i][1]);
        else
            assert_null(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_cleaned),   cmocka_unit_test(widths),
        cmocka_unit_test(names_in_order),      cmocka_unit_test(json_is_the_same_and_harmless),
        cmocka_unit_test(json_keeps_its_form), cmocka_unit_test(yaml_strings_stay_strings),
        cmocka_unit_test(what_was_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
