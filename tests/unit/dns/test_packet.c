/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LDFLAGS: -lresolv */
/*
 * Requests as they should not be: what gets which response, and that nothing behind the end is ever
 * read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dns_world.h"

#define HEADER "\x12\x34\x01\0\0\1\0\0\0\0\0\0"
#define HEADER_WITH(records) "\x12\x34\x01\0\0\1\0\0\0\0\0" records
#define NAME "\4svc1\6testns\3svc\7cluster\5local\0"
#define QUESTION NAME "\0\1\0\1"
#define OPT(size, version) "\0\0\x29" size "\0" version "\0\0\0\0"
#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L61 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

#define BYTES(text) text, sizeof(text) - 1

struct hostile {
    const char *what;
    const char *bytes;
    size_t size;
    const char *expected; /* NULL: no response */
};

static struct dns_world world;

static int make_world(void **state)
{
    (void)state;
    world = dns_world_new(&(struct world_options){.flags = 0});
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    snapshot_writer_free(world.writer);
    return 0;
}

/* The request at the very end of its memory, so that a sanitizer sees what is read behind it. */
static char *answer_to(const char *bytes, size_t size, uint8_t response[static 1232], size_t *n)
{
    g_autofree uint8_t *request = g_memdup2(bytes, size);

    *n = dns_world_answer(&world, request, size, true, response, PACKET_EDNS_SIZE);
    return *n > 0 ? dns_world_text(response, *n) : NULL;
}

static void hostile(void **state)
{
#define FOUND "NOERROR aa\nsvc1.testns.svc.cluster.local. A 10.0.0.1"
    static const struct hostile rows[] = {
        {"as it should be", BYTES(HEADER QUESTION), FOUND},
        {"nothing", BYTES(""), NULL},
        {"half a header", BYTES("\x12\x34\x01\0\0\1"), NULL},
        {"a response", BYTES("\x12\x34\x81\0\0\1\0\0\0\0\0\0" QUESTION), NULL},
        {"an update", BYTES("\x12\x34\x28\0\0\1\0\0\0\0\0\0" QUESTION), "NOTIMP"},
        {"no question", BYTES("\x12\x34\x01\0\0\0\0\0\0\0\0\0"), "FORMERR"},
        {"two questions", BYTES("\x12\x34\x01\0\0\2\0\0\0\0\0\0" QUESTION QUESTION), "FORMERR"},
        {"a question that is missing", BYTES(HEADER), "FORMERR"},
        {"a name without end", BYTES(HEADER "\4svc1"), "FORMERR"},
        {"a label without end", BYTES(HEADER "\77svc1"), "FORMERR"},
        {"no type", BYTES(HEADER NAME "\0"), "FORMERR"},
        {"a label of 64", BYTES(HEADER "\100a" L63 "\0\0\1\0\1"), "FORMERR"},
        {"a label of an unknown kind", BYTES(HEADER "\200a\0\0\1\0\1"), "FORMERR"},
        {"a pointer to itself", BYTES(HEADER "\xc0\x0c\0\1\0\1"), "FORMERR"},
        {"a pointer behind a label", BYTES(HEADER "\1a\xc0\x0c\0\1\0\1"), "FORMERR"},
        {"a pointer to the header", BYTES(HEADER "\xc0\0\0\1\0\1"), "FORMERR"},
        {"a name of 255", BYTES(HEADER "\77" L63 "\77" L63 "\77" L63 "\75" L61 "\0\0\1\0\1"),
         "REFUSED"},
        {"a name of 256", BYTES(HEADER "\77" L63 "\77" L63 "\77" L63 "\76" L61 "a\0\0\1\0\1"),
         "FORMERR"},
        {"bytes behind the end", BYTES(HEADER QUESTION "trailing"), FOUND},
        {"OPT", BYTES(HEADER_WITH("\1") QUESTION OPT("\x10\0", "\0")),
         FOUND "\nadditional OPT 1232"},
        {"OPT of a small size", BYTES(HEADER_WITH("\1") QUESTION OPT("\0\1", "\0")),
         FOUND "\nadditional OPT 1232"},
        {"two OPT", BYTES(HEADER_WITH("\2") QUESTION OPT("\4\0", "\0") OPT("\4\0", "\0")),
         "FORMERR\nadditional OPT 1232"},
        {"OPT of version 1", BYTES(HEADER_WITH("\1") QUESTION OPT("\4\0", "\1")),
         "NOERROR\nadditional OPT 1232"}, /* BADVERS is in the record */
        {"OPT that is missing", BYTES(HEADER_WITH("\1") QUESTION), "FORMERR"},
        {"half an OPT", BYTES(HEADER_WITH("\1") QUESTION "\0\0\x29\4\0"), "FORMERR"},
        {"OPT with data that is missing",
         BYTES(HEADER_WITH("\1") QUESTION "\0\0\x29\4\0\0\0\0\0\0\4"), "FORMERR"},
        {"OPT with a name", BYTES(HEADER_WITH("\1") QUESTION "\1a\0\0\x29\4\0\0\0\0\0\0\0"),
         "FORMERR"},
        {"OPT as an answer", BYTES("\x12\x34\x01\0\0\1\0\1\0\0\0\0" QUESTION OPT("\4\0", "\0")),
         "FORMERR"},
        {"a record whose name is a loop",
         BYTES(HEADER_WITH("\1") QUESTION "\xc0\x2b\0\1\0\1\0\0\0\0\0\0"), FOUND},
        {"half a pointer", BYTES(HEADER_WITH("\1") QUESTION "\xc0"), "FORMERR"},
        {"65535 records", BYTES("\x12\x34\x01\0\0\1\xff\xff\xff\xff\xff\xff" QUESTION), "FORMERR"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t response[PACKET_EDNS_SIZE];
        size_t size;
        g_autofree char *got = answer_to(rows[i].bytes, rows[i].size, response, &size);

        if (g_strcmp0(got, rows[i].expected) != 0)
            fail_msg("%s: %s\nexpected %s", rows[i].what, got, rows[i].expected);
        if (size > 0)
            assert_memory_equal(response, "\x12\x34", 2);
    }
}

static void versions_are_told(void **state)
{
    uint8_t response[PACKET_EDNS_SIZE];
    size_t size;
    g_autofree char *text =
        answer_to(BYTES(HEADER_WITH("\1") QUESTION OPT("\4\0", "\1")), response, &size);

    (void)state;
    assert_non_null(text);
    /* the upper bits of the response code, then the version that is spoken */
    assert_memory_equal(response + size - 6, "\1\0", 2);
}

/* A response has the question's own bytes, whatever letters they are in, and its flags RD and CD.
 */
static void questions_come_back_as_they_were(void **state)
{
    static const char request[] =
        "\xfe\xdc\x01\x10\0\1\0\0\0\0\0\0\4SvC1\6tEsTnS\3svc\7clusteR\5LOCAL\0\0\1\0\1";
    uint8_t response[PACKET_EDNS_SIZE];
    size_t size;
    g_autofree char *text = answer_to(request, sizeof request - 1, response, &size);

    (void)state;
    assert_string_equal(text, "NOERROR aa\nSvC1.tEsTnS.svc.clusteR.LOCAL. A 10.0.0.1");
    assert_memory_equal(response + 12, request + 12, sizeof request - 1 - 12);
    assert_memory_equal(response, "\xfe\xdc\x85\x10\0\1\0\1\0\0\0\0", 12);
}

/* Every request that is cut off somewhere. */
static void cut_off(void **state)
{
    static const char request[] = HEADER_WITH("\1") QUESTION OPT("\4\0", "\0");

    (void)state;
    for (size_t n = 0; n < sizeof request - 1; n++) {
        uint8_t response[PACKET_EDNS_SIZE];
        size_t size;
        g_autofree char *text = answer_to(request, n, response, &size);

        assert_true(n < PACKET_HEADER_SIZE ? text == NULL : g_str_has_prefix(text, "FORMERR"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile),
        cmocka_unit_test(versions_are_told),
        cmocka_unit_test(questions_come_back_as_they_were),
        cmocka_unit_test(cut_off),
    };

    return cmocka_run_group_tests(tests, make_world, free_world);
}
