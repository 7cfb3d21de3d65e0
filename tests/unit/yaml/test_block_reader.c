/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The block reader reads a document as libyaml does, or leaves it to libyaml.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/two_readers.h"

/* Is it in the block reader's style? The test fails if libyaml reads it otherwise then. */
static bool is_block(const char *text, size_t size)
{
    g_autofree char *block = two_readers_read(text, size, SIZE_MAX, true), *libyaml = NULL;

    if (!block)
        return false;
    libyaml = two_readers_read(text, size, SIZE_MAX, false);
    if (strcmp(block, libyaml) != 0)
        print_message("%.*s", (int)size, text);
    assert_string_equal(block, libyaml);
    return true;
}

static const char *const in_style[] = {
    "a: b\n",
    "a: b\nc:\n  d: e\n  f: g\nh: i\n",
    "a:\n- b\n- c\nd: e\n",
    "a:\n  - b\n  - c\nd: e\n",
    "a:\n- b: c\n  d: e\n- f: g\n",
    "a:\n- - b\n  - c\n- - - d\n",
    "a:\n-\n  b: c\n-\n- d\n",
    "a:\n-   b: c\n    d:\n    - e\n    - f\n    g: h\n",
    "a:\nb:\n  c:\nd:\n- e:\n- f:\n  g:\n",
    "a:\n  -\n  -\nb:\n-\n",
    "  a: b\n  c: d\n",
    "# x\n\na: b # c\n\n  # d\nc: # e\n  d: f#g\n",
    "a: 'b: c # d'\n\"e f\": \"\"\n'': ''\n",
    "a: {}\nb: []\nc: {d: e, f: [g, h, {i: \"j\"}]} # k\nl: [ 'm' , n ]\n",
    "a: -b\nc: --d=e, f {g} [h]\ni: -1\nj: .5\nk: ~\nl: +1\nm: $(x)\nn: (o)\n",
    "a: http://b:80/c?d=e&f=g#h\ni:j: k\n",
    "a: \nb:   c   \nd:\n     - e\n",
    "kind: Pod\nspec:\n  containers:\n  - name: x\n    args: [\"--a\", b]\n    ports:\n    - 1\n",
    "a:\n- b:\n  - c\n- d:\n    - e\n    -   f: g\n        h: i\n",
    "a.b/c-d_e: 1\n0: 2\n/x: 3\n_y: 4\n",
    "a: b\n--- \nc: d\n",
};

static void accepts_plain_style(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(in_style); i++) {
        if (!is_block(in_style[i], strlen(in_style[i])))
            fail_msg("left to libyaml: %s", in_style[i]);
    }
}

static void leaves_the_rest(void **state)
{
    static const char *const texts[] = {
        "a: b",          /* the line does not end */
        "- a\n",         /* no mapping */
        "a\n",           /* neither */
        "a: b\n c: d\n", /* indentation that fits nothing */
        "a: b\n  c\n",   /* a scalar of two lines */
        "a:\n  b\n",     /* a scalar on the next line */
        "a:\n  b: c\n d: e\n",
        "a: b\n- c\n",
        "a:\n- b\n c: d\n",
        "a: b: c\n",
        "a: - b\n",
        "a: &b c\n",
        "a: *b\n",
        "a: !b c\n",
        "a: |\n  b\n",
        "a: >\n  b\n",
        "a: \"b\\n\"\n",
        "a: 'b''c'\n",
        "a: \"b\n  c\"\n",
        "a: \"b\" c\n",
        "a: \"b\"#c\n",
        "a: [b\n",
        "a: [b,\n  c]\n",
        "a: [b, ]\n",
        "a: [b: c]\n",
        "a: {b}\n",
        "a: {b:}\n",
        "a: {b: c}}\n",
        "a: {b: c} d\n",
        "a: [1:2]\n",
        "{a: b}: c\n",
        "a : b\n",
        "<<: b\n",
        "? a\n",
        "a: @b\n",
        "a: %b\n",
        "a: `b\n",
        "%YAML 1.1\n---\na: b\n",
        "--- a: b\n",
        "--- {a: b}\n",
        "... a: b\n",
        "a:\tb\n",
        "a: b\r\n",
        "a: \xc3\xa4\n",
        "a: \x7f\n",
        "a: [[[[[[[[[b]]]]]]]]]\n",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (is_block(texts[i], strlen(texts[i])))
            fail_msg("accepted: %s", texts[i]);
    }
}

/* Whatever one character does to a document. */
static void agrees_on_every_change(void **state)
{
    static const char characters[] = " \n\n:-#'\"{}[],a0.&*!|>%@`\\?~\t\r<=+$(_/\xc3";

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(in_style); i++) {
        const char *text = in_style[i];
        size_t size = strlen(text);
        g_autofree char *changed = g_malloc(size + 2);

        for (size_t at = 0; at < size; at++) {
            memcpy(changed, text, at);
            memcpy(changed + at, text + at + 1, size - at - 1);
            (void)is_block(changed, size - 1);
            for (const char *c = characters; *c; c++) {
                changed[at] = *c;
                memcpy(changed + at + 1, text + at + 1, size - at - 1);
                (void)is_block(changed, size);
                memcpy(changed + at + 1, text + at, size - at);
                (void)is_block(changed, size + 1);
            }
        }
    }
}

/* A line more, somewhere and with any indentation, that is one of the others. */
static void agrees_on_every_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(in_style); i++) {
        g_auto(GStrv) lines = g_strsplit(in_style[i], "\n", -1);

        for (char **before = lines; *before; before++) {
            for (char **more = lines; *more; more++) {
                for (int indentation = 0; indentation < 6; indentation++) {
                    g_autoptr(GString) text = g_string_new(NULL);

                    for (char **line = lines; *line; line++) {
                        if (line == before)
                            g_string_append_printf(text, "%*s%s\n", indentation, "",
                                                   *more + strspn(*more, " "));
                        g_string_append_printf(text, "%s\n", *line);
                    }
                    (void)is_block(text->str, text->len);
                }
            }
        }
    }
}

static void levels_have_a_limit(void **state)
{
    (void)state;
    for (unsigned levels = 63; levels <= 65; levels++) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; i < levels; i++)
            g_string_append_printf(text, "%*sa:\n", (int)i, "");
        assert_int_equal(is_block(text->str, text->len), levels <= 64);
    }
}

static void long_keys_and_documents(void **state)
{
    g_autofree char *word = g_strnfill(600, 'x'), *large = g_strnfill(300000, 'x');
    g_autofree char *value = g_strdup_printf("a: %s\n", word),
                    *key = g_strdup_printf("%s: a\n", word);
    g_autofree char *document = g_strdup_printf("a: b # %s\n", large);

    (void)state;
    assert_true(is_block(value, strlen(value)));
    assert_false(is_block(key, strlen(key)));
    assert_false(is_block(document, strlen(document)));
}

static void positions(void **state)
{
    static const char text[] = "a: b\n";
    g_autofree char *block = two_readers_read(text, strlen(text), 1, true);

    (void)state;
    assert_string_equal(block, "1:1,2{a@1:1=1:4,1'b' }0 to 2:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_plain_style),
        cmocka_unit_test(leaves_the_rest),
        cmocka_unit_test(agrees_on_every_change),
        cmocka_unit_test(agrees_on_every_line),
        cmocka_unit_test(levels_have_a_limit),
        cmocka_unit_test(long_keys_and_documents),
        cmocka_unit_test(positions),
    };

    return cmocka_run_group_tests_name("block_reader", tests, NULL, NULL);
}
