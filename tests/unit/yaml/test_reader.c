/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reader of a file: what kubectl makes of its bytes, document by document, and where it says
 * that something is. The expected documents are those of apimachinery's YAMLOrJSONDecoder behind
 * kubectl's decoder of UTF-8 and UTF-16; where that drops documents silently, all are read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/yaml/reader.h"
#include "lib/yaml/scalar.h"
#include "tests/unit/bytes.h"

struct outcome {
    int result;
    GString *documents; /* each as JSON, with blanks between them */
    GPtrArray *diagnostics;
};

static void write_scalar(GString *text, const struct yaml_node *node)
{
    struct scalar scalar = scalar_read(node);

    if (scalar.type == SCALAR_NULL)
        g_string_append(text, "null");
    else if (scalar.type == SCALAR_BOOL)
        g_string_append(text, scalar.boolean ? "true" : "false");
    else if (scalar.type == SCALAR_INTEGER)
        g_string_append_printf(text, "%" G_GINT64_FORMAT, scalar.integer);
    else if (scalar.type == SCALAR_FLOAT)
        g_string_append_printf(text, "%g", scalar.real);
    else
        g_string_append_printf(text, "\"%s\"", node->text);
}

static void write_node(GString *text, const struct yaml_node *node)
{
    const char *comma = "";

    if (node->type == YAML_NODE_SCALAR) {
        write_scalar(text, node);
        return;
    }
    g_string_append_c(text, node->type == YAML_NODE_MAP ? '{' : '[');
    for (const struct yaml_node *child = node->first; child; child = child->next) {
        if (node->type == YAML_NODE_MAP && yaml_node_get(node, child->key) != child)
            continue; /* overridden */
        g_string_append(text, comma);
        if (node->type == YAML_NODE_MAP)
            g_string_append_printf(text, "%s:", child->key);
        write_node(text, child);
        comma = ",";
    }
    g_string_append_c(text, node->type == YAML_NODE_MAP ? '}' : ']');
}

static void on_document(void *userdata, const struct yaml_node *document)
{
    GString *text = userdata;

    if (!document)
        return;
    if (text->len > 0)
        g_string_append_c(text, ' ');
    write_node(text, document);
}

static void release(gpointer diagnostic)
{
    diagnostic_free(diagnostic);
}

static struct outcome read_pieces(const char *text, size_t length, size_t piece)
{
    struct outcome outcome = {.documents = g_string_new(NULL),
                              .diagnostics = g_ptr_array_new_with_free_func(release)};
    struct composer_callbacks callbacks = {.document = on_document, .userdata = outcome.documents};
    struct composer *composer = composer_new(&callbacks, outcome.diagnostics);
    g_autofree struct input *input = g_new0(struct input, 1);
    struct bytes bytes = {text, length, piece};

    input_init(input, bytes_give, &bytes, UINT64_C(1) << 40);
    outcome.result = reader_run(input, composer);
    composer_free(composer);
    input_take_malformed(input, outcome.diagnostics);
    input_clear(input);
    return outcome;
}

static void outcome_clear(struct outcome *outcome)
{
    g_string_free(outcome->documents, TRUE);
    g_ptr_array_unref(outcome->diagnostics);
}

/* "LINE:COLUMN rule, ..." */
static char *places(const struct outcome *outcome)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < outcome->diagnostics->len; i++) {
        const struct diagnostic *diagnostic = outcome->diagnostics->pdata[i];

        g_string_append_printf(text, "%s%u:%u %s", i > 0 ? ", " : "", diagnostic->line,
                               diagnostic->column, diagnostic->rule);
    }
    return g_string_free(text, FALSE);
}

/* However the bytes arrive. */
static void assert_reads_bytes(const char *text, size_t length, int result, const char *documents,
                               const char *diagnostics)
{
    for (size_t piece = 1; piece < 100; piece = piece < 8 ? piece + 1 : piece * 4) {
        struct outcome outcome = read_pieces(text, length, piece);
        g_autofree char *found = places(&outcome);

        assert_string_equal(found, diagnostics);
        assert_string_equal(outcome.documents->str, documents);
        assert_int_equal(outcome.result, result);
        outcome_clear(&outcome);
    }
}

static void assert_reads(const char *text, const char *documents)
{
    assert_reads_bytes(text, strlen(text), READER_DONE, documents, "");
}

/* `documents`: those before the error. */
static void assert_fails(const char *text, const char *documents, const char *where)
{
    assert_reads_bytes(text, strlen(text), READER_BAD, documents, where);
}

static void separators(void **state)
{
    (void)state;
    assert_reads("{\"a\": 1}\n---\n{\"b\": 2}\n", "{a:1} {b:2}");
    assert_reads("{\"a\": 1}\r\n---\r\n{\"b\": 2}\r\n---\r\n", "{a:1} {b:2}");
    assert_reads("{\"a\": 1}\n---\nb: 2\n---\n{\"c\": 3}\n", "{a:1} {b:2} {c:3}");
    assert_reads("a: 1\n---\n{\"b\": 2}", "{a:1} {b:2}");
    assert_reads("a: 1\n--- # x\nb: 2\n---#y\nc: 3\n---\t \nd: 4\n---\xc2\xa0\ne: 5\n",
                 "{a:1} {b:2} {c:3} {d:4} {e:5}");
    assert_reads("a: 1\n--- {b: 2}\n--- {\"c\": 3}\n--- !!map\nd: 4\n", "{a:1} {b:2} {c:3} {d:4}");
    assert_reads("---\n---\n# x\n---\n\n\n  \n{\"a\": 1}\n---", "{a:1}");
    assert_reads("a: 1\n...\nb: 2\n...\n---\n{\"c\": 3}\n...\n", "{a:1} {b:2} {c:3}");
    assert_reads("%YAML 1.1\n# x\n---\na: 1\n...\n%YAML 1.1\n---\nb: 2\n---\nc: 3\n",
                 "{a:1} {b:2} {c:3}");
    assert_reads("a: |\n  x\n  ---\n---\nb: '---'\n", "{a:\"x\n---\n\"} {b:\"---\"}");
    assert_reads("{\"a\": \"---\", \"b\": \"\\n---\\n\"}", "{a:\"---\",b:\"\n---\n\"}");
    assert_reads("{\"a\":\n---1}\n", "{a:\"---1\"}"); /* which is a text in YAML */
}

static void values_in_a_row(void **state)
{
    (void)state;
    assert_reads("{\"a\": 1}{\"b\": 2} {\"c\": 3}\n{\"d\": 4}", "{a:1} {b:2} {c:3} {d:4}");
    assert_reads("{\"a\": 1}\nb: 2\nc: 3\n", "{a:1} {b:2,c:3}");
    assert_reads("{\"a\": 1} b: 2\n", "{a:1} {b:2}");
    assert_reads("{\"a\": 1} # x\n# y\n{\"b\": 2}#z\n", "{a:1} {b:2}");
    assert_reads("{a: 1}\n{\"b\": 2}\n{c: \xc3\xbc,}{\"d\": \"\xc3\xbc\"}\n",
                 "{a:1} {b:2} {c:\"\xc3\xbc\"} {d:\"\xc3\xbc\"}");
    assert_fails("{\"a\": 1}, {\"b\": 2}", "{a:1}", "1:9 syntax");
    assert_fails("{\"a\": 1}}", "{a:1}", "1:9 syntax");
    assert_reads_bytes("{\"a\": 1}\0\0", 10, READER_BAD, "{a:1}", "1:9 syntax");
}

static void braces_that_are_no_json(void **state)
{
    (void)state;
    assert_reads("{\"a\": 1, b: [2, 3,],}\n", "{a:1,b:[2,3]}");
    assert_reads("{\n  \"a\": 1, # x\n  'b': yes\n}\n---\n{\n\t\"c\": 0x10,\n}\n",
                 "{a:1,b:true} {c:16}");
    assert_reads("{\"a\": \"x\n  y\"}", "{a:\"x y\"}");
    assert_reads("{\"a\": &x {\"b\": 1}, \"c\": *x}", "{a:{b:1},c:{b:1}}");
    /* only JSON has these */
    assert_reads("{\"a\": \"\\ud83d\\ude00\\/\x7f\"}", "{a:\"\xf0\x9f\x98\x80/\x7f\"}");
    /* the parser that got further has the word */
    assert_fails("{\"a\": 1,\n \"b\" 2}", "", "2:6 syntax");
    assert_fails("{\"a\": 1,\n b: 2,\n c: ]}", "", "3:5 syntax");
    assert_fails("{\"a\": 1,\n \"b\": [2\n", "", "3:1 syntax");
    assert_fails("x: 1\n---\n {\"a\": \"x\x01\"}", "{x:1}", "3:10 syntax");
}

static void blanks_of_other_kinds(void **state)
{
    (void)state;
    assert_reads("\f{\"a\": 1}\n", "{a:1}");
    assert_reads("\f\n\xc2\xa0 {\"a\": 1}\n---\n\xe2\x80\x83{b: 2,}\n---\n\f\nc: 3\n",
                 "{a:1} {b:2} {c:3}");
    assert_fails("a: 1\n\n \f\nb: 2\n", "", "3:2 syntax");
    assert_fails("a: 1 # \xc2\x90\n", "", "1:8 syntax");
    assert_fails("a:\n\tb: 1\n", "", "2:1 syntax");
    assert_reads("a:\t1\nb:\t\n  c: 2\n", "{a:1,b:{c:2}}");
    assert_reads("a: 1\r---\rb: 2\r", "{a:1} {b:2}");
    assert_reads("# x\ra: 1\r", "{a:1}");
}

static void byte_order_marks(void **state)
{
    (void)state;
    assert_reads("\xef\xbb\xbf"
                 "a: 1\n---\n\xef\xbb\xbf"
                 "b: 2\n",
                 "{a:1} {b:2}");
    assert_reads("\xef\xbb\xbf{\"a\": 1}\n---\n\xef\xbb\xbf{\"b\": 2}\n\xef\xbb\xbf---\n"
                 "\xef\xbb\xbf# x\n\xef\xbb\xbf"
                 "c: 3\n",
                 "{a:1} {b:2} {c:3}");
    assert_reads("a: x\xef\xbb\xbfy\n", "{a:\"x\xef\xbb\xbfy\"}");
    assert_fails("\xef\xbb\xbf{\"a\": ]", "", "1:7 syntax");
    assert_fails("a: 1\n---\n\xef\xbb\xbf"
                 "b: *x\n",
                 "{a:1}", "3:4 syntax");
}

static void malformed_bytes(void **state)
{
    g_autoptr(GString) many = g_string_new("a: 1\n");

    (void)state;
    assert_reads_bytes("# f\xfcr\na: \"\xc3\xbc x\xfc\xfcy\"\n", 18, READER_DONE,
                       "{a:\"\xc3\xbc x\xef\xbf\xbd\xef\xbf\xbdy\"}", "1:4 encoding, 2:8 encoding");
    assert_reads_bytes("{\"a\": \"\xfc\"}", 10, READER_DONE, "{a:\"\xef\xbf\xbd\"}",
                       "1:8 encoding");
    assert_reads_bytes("a: 1 # \xe2\x82", 9, READER_DONE, "{a:1}", "1:8 encoding");
    assert_reads_bytes("a: \xed\xa0\x80\nb: *x", 12, READER_BAD, "", "1:4 encoding, 2:4 syntax");
    for (int i = 0; i < 100; i++)
        g_string_append(many, "# \xff\n");
    struct outcome outcome = read_pieces(many->str, many->len, many->len);
    assert_int_equal(outcome.result, READER_DONE);
    assert_int_equal(outcome.diagnostics->len, 21); /* 20, and that there are more */
    outcome_clear(&outcome);
}

static void utf16(void **state)
{
    static const char little[] = "\xff\xfe{\0\"\0a\0\"\0:\0=\xd8\0\xde\n\0}\0";
    static const char big[] = "\xfe\xff\0a\0:\0 \0\xfc\0\n\0-\0-\0-\0\n\xfe\xff\0b\0:\0 \0001\0\n";
    static const char alone[] = "\xff\xfe"
                                "a\0:\0 \0\0\xd8x\0\n\0b";

    (void)state;
    assert_reads_bytes(little, sizeof little - 1, READER_DONE, "{a:\"\xf0\x9f\x98\x80\"}", "");
    assert_reads_bytes(big, sizeof big - 1, READER_DONE, "{a:\"\xc3\xbc\"} {b:1}", "");
    assert_reads_bytes(alone, sizeof alone - 1, READER_BAD, "",
                       "1:4 encoding, 2:1 encoding, 3:1 syntax");
    /* without a mark it is read as UTF-8 with NULs */
    assert_reads_bytes("a\0:\0 \0001\0", 8, READER_BAD, "", "1:2 syntax");
}

static void numbers(void **state)
{
    (void)state;
    assert_reads("[80.0, 1]\n---\na: [80.0, 080, 0x50, 1e+1, 0b1, 0_7, !!int \"80\", 0o17, 017]\n",
                 "{a:[80,80,80,10,1,7,80,15,15]}");
    assert_reads(
        "a: [1_000, .5, 1e3, +5, +0x10, -0b11, 0X1f, 0B11, 0O17, 1., -.5, 08.5, 1_0.5_0]\n",
        "{a:[1000,0.5,1000,5,16,-3,31,3,15,1,-0.5,8.5,10.5]}");
    assert_reads("a: [1__0, 1_, 0x_1, 08_0, .1e2, 0b_1, +_1, 0_, -0, .5_0, 1e-400, 0_x1, 8_0.0]\n",
                 "{a:[10,1,1,80,10,1,1,0,0,0.5,0,1,80]}");
    assert_reads("a: [9223372036854775807, -9223372036854775808, 18446744073709551615, 1e30]\n",
                 "{a:[9223372036854775807,-9223372036854775808,9223372036854775807,"
                 "9223372036854775807]}");
    assert_reads(
        "a: [1e400, 0b102, 0xg, 12:30, 2020-01-01, 0x1p4, 0b, ._5, +, -x, .e1, 1e, 00x1]\n",
        "{a:[\"1e400\",\"0b102\",\"0xg\",\"12:30\",\"2020-01-01\",\"0x1p4\",\"0b\",\"._5\","
        "\"+\",\"-x\",\".e1\",\"1e\",\"00x1\"]}");
    assert_reads("a: [.inf, -.Inf, +.INF, .xnf, -.gnf, .in, .infx, ., -., .nan, -.nan]\n",
                 "{a:[0,0,0,\".xnf\",\"-.gnf\",\".in\",\".infx\",\".\",\"-.\",0,\"-.nan\"]}");
    assert_reads("{\"a\": [80.0, 1e1, 1E+1, -0], \"b\": \"80\"}", "{a:[80,10,10,0],b:\"80\"}");
}

static void words(void **state)
{
    (void)state;
    assert_reads("a: [y, Y, yes, Yes, YES, on, On, ON, true, True, TRUE]\n",
                 "{a:[true,true,true,true,true,true,true,true,true,true,true]}");
    assert_reads("a: [n, N, no, No, NO, off, Off, OFF, false, False, FALSE]\n",
                 "{a:[false,false,false,false,false,false,false,false,false,false,false]}");
    assert_reads("a: [~, null, Null, NULL, ]\nb:\n", "{a:[null,null,null,null],b:null}");
    assert_reads("a: [oN, tRUE, nULL, 'y', \"no\"]\n",
                 "{a:[\"oN\",\"tRUE\",\"nULL\",\"y\",\"no\"]}");
}

static void tags(void **state)
{
    static const char *const wrong[] = {"!!int 80.0", "!!bool 1", "!!null x", "!!float x",
                                        "!!int ''",   "!!int ~",  "!!float y"};

    (void)state;
    assert_reads("a: [!!str 80, !!float 80, !!float '80', !!bool 'yes', !!null '', !!int '0x10']\n",
                 "{a:[\"80\",80,80,true,null,16]}");
    assert_reads("a: [!!binary aGk=, ! 80, !foo 80, !!str yes, !!str , !!timestamp 2020-01-01]\n",
                 "{a:[\"hi\",\"80\",\"80\",\"yes\",\"\",\"2020-01-01\"]}");
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *text = g_strdup_printf("a: %s\n", wrong[i]);

        assert_fails(text, "", "1:4 syntax");
    }
}

static void keys(void **state)
{
    (void)state;
    assert_reads("{80: a, 0x10: b, 1.5: c, y: d, off: e, 1e3: f, 1e6: g, 80.0: h, .1: i}",
                 "{16:\"b\",1.5:\"c\",true:\"d\",false:\"e\",1000:\"f\",1e+06:\"g\",80:\"h\","
                 "0.1:\"i\"}");
    assert_reads("{1234567.5: a, 0.00001: b, 100000.0: c, 16777217.0: d, 'on': e, !!str off: f}",
                 "{1.2345675e+06:\"a\",1e-05:\"b\",100000:\"c\",1.6777216e+07:\"d\",on:\"e\","
                 "off:\"f\"}");
    assert_reads("{\"80.0\": 1, \"on\": 2, \"a\": 3, \"a\": 4}", "{80.0:1,on:2,a:4}");
    assert_reads("a: 1\na: 2\n", "{a:2}");
}

static void merge_keys(void **state)
{
    (void)state;
    assert_reads("x: &x {a: 1, b: 2}\nz: {a: 0, <<: *x, b: 3}\n", "{x:{a:1,b:2},z:{a:1,b:3}}");
    assert_reads("x: &x {a: 1, b: 2}\nz: &z {a: 5, c: 6}\nv: {<<: [*x, *z]}\n",
                 "{x:{a:1,b:2},z:{a:5,c:6},v:{c:6,a:1,b:2}}");
    assert_reads("x: &x {a: 1}\nz: {<<: *x, <<: {a: 9}}\nv: {'<<': *x}\nw: {!!merge <<: *x}\n",
                 "{x:{a:1},z:{a:9},v:{<<:{a:1}},w:{a:1}}");
    assert_fails("z: {<<: 1}\n", "", "1:9 syntax");
    assert_fails("z: {<<: ~}\n", "", "1:9 syntax");
    assert_fails("z: {<<: [{a: 1}, [{a: 1}]]}\n", "", "1:9 syntax");
}

/* Of a long text only the beginning goes through the parser, wherever its escapes are. */
static void long_texts(void **state)
{
    static const char *const ends[] = {"", "\\\\", "\\\"", "\\u00fc", "\\\\\\\"x", "x\\\\\\\\"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(ends) * 2; i++) {
        g_autoptr(GString) text = g_string_new("{\"a\": \"");

        for (size_t n = 0; text->len < (1600u << 10); n++)
            g_string_append_printf(text, "%.*s%s", (int)(i + n % 50),
                                   "0123456789 123456789 123456789 "
                                   "123456789 123456789 123456789 123456789 123456789 123456789 ",
                                   ends[(i + n) % G_N_ELEMENTS(ends)]);
        g_string_append_printf(text, "%s\",\n\"b\": 1}\n{\"c\": 2}}", ends[i % G_N_ELEMENTS(ends)]);
        struct outcome outcome = read_pieces(text->str, text->len, 30000 + i);
        g_autofree char *where = places(&outcome);

        assert_string_equal(outcome.documents->str, "{a:\"\",b:1} {c:2}");
        assert_string_equal(where, "3:9 syntax");
        outcome_clear(&outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(separators),
        cmocka_unit_test(values_in_a_row),
        cmocka_unit_test(braces_that_are_no_json),
        cmocka_unit_test(blanks_of_other_kinds),
        cmocka_unit_test(byte_order_marks),
        cmocka_unit_test(malformed_bytes),
        cmocka_unit_test(utf16),
        cmocka_unit_test(numbers),
        cmocka_unit_test(words),
        cmocka_unit_test(tags),
        cmocka_unit_test(keys),
        cmocka_unit_test(merge_keys),
        cmocka_unit_test(long_texts),
    };

    return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
