/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The protocol, byte by byte, over a real socket: clients that speak version 1 must be understood
 * for ever. The transcripts are written out here so that no change of a header can change them too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/alarm.h"
#include "tests/unit/serving.h"

#define SEC ((uint64_t)1000000)

static struct serving serving;

static int setup(void **state)
{
    (void)state;
    serving_start(&serving, true);
    return 0;
}

static int setup_unpublished(void **state)
{
    (void)state;
    serving_start(&serving, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    serving_stop(&serving);
    return 0;
}

static struct server_status status(void)
{
    struct server_status status;

    server_status(serving.server, &status);
    return status;
}

/* --- Transcripts -------------------------------------------------------------------------------
 */

/* Hexadecimal bytes; 'text' stands for its letters, blanks for nothing. */
static GByteArray *bytes(const char *text)
{
    GByteArray *array = g_byte_array_new();

    while (*text) {
        if (*text == '\'') {
            const char *end = strchr(text + 1, '\'');

            g_byte_array_append(array, (const uint8_t *)text + 1, (guint)(end - text - 1));
            text = end + 1;
        } else if (isspace((unsigned char)*text)) {
            text++;
        } else {
            const char digits[3] = {text[0], text[1]};

            g_byte_array_append(array, &(uint8_t){(uint8_t)strtoul(digits, NULL, 16)}, 1);
            text += 2;
        }
    }
    return array;
}

struct transcript {
    const char *request, *response; /* "": the connection is closed without a word */
};

static const struct transcript version_1[] = {
    /* NAME "one", INET, room for 16 */
    {"4b535643 01 01 0000 0b000000 00000000  10000000 04 00 03 00 'one'",
     "4b535643 01 41 0000 37000000 00000000  01 00 0100 1b000000 01000000 00000000"
     " 00000000 00000000 'one.moon.svc.cluster.local' 00  0a600001"},
    /* the same, both families, namespace "MOON", other letters */
    {"4b535643 01 01 0000 0f000000 00000000  10000000 00 04 03 00 'MOON' 'ONE'",
     "4b535643 01 41 0000 37000000 00000000  01 00 0100 1b000000 01000000 00000000"
     " 00000000 00000000 'ONE.moon.svc.cluster.local' 00  0a600001"},
    /* a namespace with its zone */
    {"4b535643 01 01 0000 1d000000 00000000  10000000 04 12 03 00 'Moon@Cluster.local' 'one'",
     "4b535643 01 41 0000 37000000 00000000  01 00 0100 1b000000 01000000 00000000"
     " 00000000 00000000 'one.moon.svc.cluster.local' 00  0a600001"},
    /* reserved fields and unknown flags are ignored */
    {"4b535643 01 01 feff 0b000000 01020304  10000000 04 00 03 ff 'one'",
     "4b535643 01 41 0000 37000000 00000000  01 00 0100 1b000000 01000000 00000000"
     " 00000000 00000000 'one.moon.svc.cluster.local' 00  0a600001"},
    /* NO_DATA: it has no INET6 */
    {"4b535643 01 01 0000 0b000000 00000000  10000000 06 00 03 00 'one'",
     "4b535643 01 41 0000 18000000 00000000  02 00 0000 00000000 00000000 00000000"
     " 00000000 00000000"},
    /* NOT_FOUND: of ours, and missing */
    {"4b535643 01 01 0000 10000000 00000000  10000000 04 00 08 00 'nope.svc'",
     "4b535643 01 41 0000 18000000 00000000  03 00 0000 00000000 00000000 00000000"
     " 00000000 00000000"},
    /* NOT_OURS */
    {"4b535643 01 01 0000 13000000 00000000  10000000 04 00 0b 00 'example.com'",
     "4b535643 01 41 0000 18000000 00000000  04 00 0000 00000000 00000000 00000000"
     " 00000000 00000000"},
    /* a final dot: the name is absolute */
    {"4b535643 01 01 0000 0c000000 00000000  10000000 04 00 04 00 'one.'",
     "4b535643 01 41 0000 18000000 00000000  04 00 0000 00000000 00000000 00000000"
     " 00000000 00000000"},
    /* names that cannot be: a NUL in the middle, of ours or not; the root */
    {"4b535643 01 01 0000 0e000000 00000000  10000000 04 00 06 00 6100 '.svc'",
     "4b535643 01 41 0000 18000000 00000000  03 00 0000 00000000 00000000 00000000"
     " 00000000 00000000"},
    {"4b535643 01 01 0000 0b000000 00000000  10000000 04 00 03 00 'a' 00 'b'",
     "4b535643 01 41 0000 18000000 00000000  04 00 0000 00000000 00000000 00000000"
     " 00000000 00000000"},
    {"4b535643 01 01 0000 09000000 00000000  10000000 04 00 01 00 '.'",
     "4b535643 01 41 0000 18000000 00000000  04 00 0000 00000000 00000000 00000000"
     " 00000000 00000000"},
    /* WITHHELD: five addresses, room for four */
    {"4b535643 01 01 0000 0c000000 00000000  04000000 00 00 04 00 'dual'",
     "4b535643 01 41 0000 34000000 00000000  01 01 0100 1c000000 03000000 02000000"
     " 00000000 00000000 'dual.moon.svc.cluster.local' 00"},
    /* aliases: the canonical name first, then the others in the order they were met */
    {"4b535643 01 01 0000 0b000000 00000000  10000000 04 00 03 00 'far'",
     "4b535643 01 41 0000 4a000000 00000000  01 00 0300 2e000000 01000000 00000000"
     " 00000000 00000000 'Near.test' 00 'far.moon.svc.cluster.local' 00 'far.test' 00  0a090807"},
    /* ADDRESS 10.96.0.1, as INET and as INET6; 192.0.2.1 is unknown */
    {"4b535643 01 02 0000 14000000 00000000  04 000000 0a600001 00000000 00000000 00000000",
     "4b535643 01 41 0000 33000000 00000000  01 00 0100 1b000000 00000000 00000000"
     " 00000000 00000000 'one.moon.svc.cluster.local' 00"},
    {"4b535643 01 02 0000 14000000 00000000  06 000000 00000000 00000000 0000ffff 0a600001",
     "4b535643 01 41 0000 33000000 00000000  01 00 0100 1b000000 00000000 00000000"
     " 00000000 00000000 'one.moon.svc.cluster.local' 00"},
    {"4b535643 01 02 0000 14000000 00000000  04 000000 c0000201 00000000 00000000 00000000",
     "4b535643 01 41 0000 18000000 00000000  04 00 0000 00000000 00000000 00000000"
     " 00000000 00000000"},
    /* UNSUPPORTED: a later version, an unknown type, unknown families, a snapshot of layout 1 */
    {"4b535643 02 01 0000 04000000 00000000  'what'", "4b535643 01 43 0000 00000000 00000000"},
    {"4b535643 00 01 0000 00000000 00000000", "4b535643 01 43 0000 00000000 00000000"},
    {"4b535643 01 7f 0000 00000000 00000000", "4b535643 01 43 0000 00000000 00000000"},
    {"4b535643 01 01 0000 0b000000 00000000  10000000 05 00 03 00 'one'",
     "4b535643 01 43 0000 00000000 00000000"},
    {"4b535643 01 02 0000 14000000 00000000  00 000000 0a600001 00000000 00000000 00000000",
     "4b535643 01 43 0000 00000000 00000000"},
    {"4b535643 01 03 0000 04000000 00000000  01000000", "4b535643 01 43 0000 00000000 00000000"},
    /* closed: wrong magic, too long, lengths that do not add up, no name, bad namespaces */
    {"4b535644 01 01 0000 0b000000 00000000  10000000 04 00 03 00 'one'", ""},
    {"4b535643 01 01 0000 01040000 00000000", ""},
    {"4b535643 01 01 0000 ffffffff 00000000", ""},
    {"4b535643 01 01 0000 07000000 00000000  10000000 04 00 03", ""},
    {"4b535643 01 01 0000 0a000000 00000000  10000000 04 00 03 00 'on'", ""},
    {"4b535643 01 01 0000 0c000000 00000000  10000000 04 00 03 00 'onex'", ""},
    {"4b535643 01 01 0000 08000000 00000000  10000000 04 00 00 00", ""},
    {"4b535643 01 01 0000 0e000000 00000000  10000000 04 03 03 00 'a.b' 'one'", ""},
    {"4b535643 01 01 0000 0e000000 00000000  10000000 04 03 03 00 'a' 00 'b' 'one'", ""},
    {"4b535643 01 01 0000 0d000000 00000000  10000000 04 02 03 00 'a@' 'one'", ""},
    {"4b535643 01 02 0000 13000000 00000000  04 000000 0a600001 00000000 00000000 000000", ""},
    {"4b535643 01 02 0000 15000000 00000000  04 000000 0a600001 00000000 00000000 0000000000", ""},
    {"4b535643 01 03 0000 00000000 00000000", ""},
    {"4b535643 01 03 0000 08000000 00000000  01000000 00000000", ""},
};

/* MAP has a transcript of its own: its answer brings a descriptor. */
static const char map_request[] = "4b535643 01 03 0000 04000000 00000000  02000000";
static const char map_response[] = "4b535643 01 44 0000 08000000 00000000  02000000 00000000";
static const char map_not_now[] = "4b535643 01 41 0000 18000000 00000000  05 00 0000 00000000"
                                  " 00000000 00000000 00000000 00000000";

static void expect(int fd, const char *response)
{
    g_autoptr(GByteArray) expected = bytes(response);
    g_autoptr(GByteArray) frame = serving_read(&serving, fd, 5 * SEC);

    if (expected->len == 0) {
        assert_null(frame);
        return;
    }
    assert_non_null(frame);
    assert_int_equal(frame->len, expected->len);
    assert_memory_equal(frame->data, expected->data, frame->len);
}

static void test_transcripts(void **state)
{
    uint64_t unsupported = 0, closed = 0;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(version_1); i++) {
        g_autoptr(GByteArray) request = bytes(version_1[i].request);
        int fd = serving_connect(&serving, -1);

        serving_send(fd, request->data, request->len);
        expect(fd, version_1[i].response);
        assert_true(serving_is_closed(&serving, fd, SEC));
        close(fd);
        closed += *version_1[i].response == '\0';
        unsupported += strstr(version_1[i].response, "01 43") != NULL;
    }
    assert_int_equal(status().refused, closed + unsupported);
    assert_int_equal(status().questions, G_N_ELEMENTS(version_1) - closed - unsupported);
    assert_int_equal(status().clients, 0);
}

/* What comes in one piece, and the descriptor with it (-1: none). */
static GByteArray *receive_descriptor(int fd, int *descriptor)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control = {0};
    uint8_t data[256];
    struct iovec part = {data, sizeof data};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    uint64_t start = serving_now();
    ssize_t n;

    while ((n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC)) < 0) {
        assert_int_equal(errno, EAGAIN);
        assert_true(serving_now() - start < 5 * SEC);
        serving_turn(&serving, SEC / 10);
    }
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    *descriptor = -1;
    if (header) {
        assert_int_equal(header->cmsg_type, SCM_RIGHTS);
        assert_int_equal(header->cmsg_len, CMSG_LEN(sizeof(int)));
        memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    }
    return g_byte_array_append(g_byte_array_new(), data, (guint)n);
}

static void expect_map(const char *response, bool brings_descriptor)
{
    g_autoptr(GByteArray) request = bytes(map_request), expected = bytes(response);
    int fd = serving_connect(&serving, -1), descriptor;

    serving_send(fd, request->data, request->len);
    g_autoptr(GByteArray) frame = receive_descriptor(fd, &descriptor);

    assert_int_equal(frame->len, expected->len);
    assert_memory_equal(frame->data, expected->data, frame->len);
    assert_int_equal(descriptor >= 0, brings_descriptor);
    assert_true(serving_is_closed(&serving, fd, SEC));
    if (brings_descriptor) {
        struct kubesvc_snapshot_header header;

        assert_int_equal(fcntl(descriptor, F_GETFL) & O_ACCMODE, O_RDONLY);
        assert_int_equal(pread(descriptor, &header, sizeof header, 0), sizeof header);
        assert_int_equal(le32toh(header.magic), KUBESVC_SNAPSHOT_MAGIC);
        close(descriptor);
    }
    close(fd);
}

static void test_maps(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        expect_map(map_response, true);
    server_allow_maps(serving.server, false);
    expect_map(map_not_now, false);
    server_allow_maps(serving.server, true);
    expect_map(map_response, true);
    assert_int_equal(status().questions, 0);
}

static void test_nothing_is_mapped_before_the_first_load(void **state)
{
    (void)state;
    expect_map(map_not_now, false);
    snapshot_writer_publish(serving.writer);
    expect_map(map_response, true);
}

/* However the request is cut into pieces, the answer is the same. */
static void test_requests_in_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(version_1); i++) {
        g_autoptr(GByteArray) request = bytes(version_1[i].request);
        int fd = serving_connect(&serving, -1);

        for (guint sent = 0; sent < request->len; sent++) {
            if (send(fd, request->data + sent, 1, MSG_NOSIGNAL) < 0)
                break; /* it has been found to be bad before its end */
            serving_turn(&serving, 0);
        }
        expect(fd, version_1[i].response);
        assert_true(serving_is_closed(&serving, fd, SEC));
        close(fd);
    }
}

static void test_kept_connection(void **state)
{
    int fd = serving_connect(&serving, -1);

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(version_1); i++) {
        g_autoptr(GByteArray) request = bytes(version_1[i].request);

        if (*version_1[i].response == '\0')
            continue;
        request->data[6] |= KUBESVC_FLAG_KEEP;
        serving_send(fd, request->data, request->len);
        expect(fd, version_1[i].response);
        assert_false(serving_is_closed(&serving, fd, 0));
    }
    assert_int_equal(status().clients, 1);
    close(fd);
    while (status().clients > 0)
        serving_turn(&serving, SEC);
}

/* All at once, the last without KEEP: every answer in order, then the end. */
static void test_pipelined_requests(void **state)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    int fd = serving_connect(&serving, -1);
    size_t last = 0;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(version_1); i++) {
        g_autoptr(GByteArray) request = bytes(version_1[i].request);

        if (*version_1[i].response == '\0')
            continue;
        request->data[6] |= KUBESVC_FLAG_KEEP;
        last = all->len;
        g_byte_array_append(all, request->data, request->len);
    }
    all->data[last + 6] &= (uint8_t)~KUBESVC_FLAG_KEEP;
    serving_send(fd, all->data, all->len);
    for (size_t i = 0; i < G_N_ELEMENTS(version_1); i++)
        if (*version_1[i].response)
            expect(fd, version_1[i].response);
    assert_true(serving_is_closed(&serving, fd, SEC));
    close(fd);
}

/* A client that shuts down its sending side is answered all the same. */
static void test_half_closed_connection(void **state)
{
    static const char *const names[] = {"one", "far", "late"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GByteArray) request = serving_name_request(names[i], KUBESVC_FAMILY_INET, 16, 0);
        g_autoptr(GByteArray) frame = NULL;
        int fd = serving_connect(&serving, -1);

        serving_turn(&serving, 0); /* it is waited for already */
        serving_send(fd, request->data, request->len);
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        do {
            g_clear_pointer(&frame, g_byte_array_unref);
            frame = serving_read(&serving, fd, 5 * SEC);
            assert_non_null(frame);
        } while (frame->data[5] == KUBESVC_RESPONSE_PENDING);
        assert_int_equal(serving_answer(frame).status, KUBESVC_STATUS_FOUND);
        close(fd);
    }
}

/* --- Loading, waiting ---------------------------------------------------------------------------
 */

static void test_nothing_is_missing_before_the_first_load(void **state)
{
    static const char *const names[] = {"one", "example.com", "nope.svc", "least.example"};
    static const char *const in_zones[] = {"one.moon.svc.East.example.", "moon.example"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GByteArray) frame = serving_ask(&serving, names[i], KUBESVC_FAMILY_INET);

        assert_int_equal(serving_answer(frame).status, KUBESVC_STATUS_TRY_AGAIN);
        assert_int_equal(serving_answer(frame).flags, 0);
    }
    server_reserve(serving.server, g_strsplit("moon.example east.example", " ", 0));
    for (size_t i = 0; i < G_N_ELEMENTS(in_zones); i++) {
        g_autoptr(GByteArray) frame = serving_ask(&serving, in_zones[i], KUBESVC_FAMILY_INET);

        assert_int_equal(serving_answer(frame).status, KUBESVC_STATUS_TRY_AGAIN);
        assert_int_equal(serving_answer(frame).flags, KUBESVC_ANSWER_OURS);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GByteArray) frame = serving_ask(&serving, names[i], KUBESVC_FAMILY_INET);

        assert_int_equal(serving_answer(frame).flags, 0);
    }
    snapshot_writer_publish(serving.writer);
    {
        g_autoptr(GByteArray) frame = serving_ask(&serving, "one", KUBESVC_FAMILY_INET);

        assert_int_equal(serving_answer(frame).status, KUBESVC_STATUS_FOUND);
    }
}

/* The nameserver answers the second time only: a sign of life every 100 ms, then the answer. */
static void test_pending(void **state)
{
    g_autoptr(GByteArray) request = serving_name_request("late", KUBESVC_FAMILY_INET, 16, 0);
    int fd = serving_connect(&serving, -1);
    uint64_t start = serving_now();
    unsigned pending = 0;

    (void)state;
    serving_send(fd, request->data, request->len);
    for (;;) {
        g_autoptr(GByteArray) frame = serving_read(&serving, fd, SEC);

        assert_non_null(frame);
        if (frame->data[5] == KUBESVC_RESPONSE_ANSWER) {
            assert_int_equal(serving_answer(frame).status, KUBESVC_STATUS_FOUND);
            break;
        }
        assert_int_equal(frame->data[5], KUBESVC_RESPONSE_PENDING);
        assert_int_equal(frame->len, sizeof(struct kubesvc_header));
        pending++;
        assert_true(serving_now() - start >= pending * 90000);
        assert_int_equal(status().pending, 1);
    }
    assert_in_range(pending, 1, 17); /* of 1.6 s; how many of 16 depends on the machine's load */
    assert_true(serving_is_closed(&serving, fd, SEC));
    assert_int_equal(status().pending, 0);
    close(fd);
}

/* Other clients are answered at once while one waits; a client that leaves is dropped at once. */
static void test_waiting_delays_nobody(void **state)
{
    g_autoptr(GByteArray) request = serving_name_request("dead", KUBESVC_FAMILY_ANY, 16, 0);
    ALARM second = alarm_new(serving.event, SEC);
    ALARM four = alarm_new(serving.event, 4 * SEC);
    ALARM seven = alarm_new(serving.event, 7 * SEC);
    int fds[100];

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        fds[i] = serving_connect(&serving, -1);
        serving_send(fds[i], request->data, request->len);
    }
    for (int i = 0; i < 100; i++) {
        g_autoptr(GByteArray) frame = serving_ask(&serving, "one", KUBESVC_FAMILY_INET);

        assert_int_equal(serving_answer(frame).status, KUBESVC_STATUS_FOUND);
    }
    assert_false(alarm_rang(second));
    assert_int_equal(status().pending, G_N_ELEMENTS(fds));
    assert_true(serving.nameserver.questions <= 4); /* one for each family, maybe twice */
    for (size_t i = 1; i < G_N_ELEMENTS(fds); i++)
        close(fds[i]);
    while (status().pending > 1) {
        assert_false(alarm_rang(four));
        serving_turn(&serving, SEC);
    }

    for (;;) { /* until the nameserver is given up */
        g_autoptr(GByteArray) frame = serving_read(&serving, fds[0], SEC);

        assert_non_null(frame);
        if (frame->data[5] == KUBESVC_RESPONSE_PENDING)
            continue;
        assert_int_equal(serving_answer(frame).status, KUBESVC_STATUS_TRY_AGAIN);
        break;
    }
    assert_false(alarm_rang(seven));
    close(fds[0]);
}

/* --- Rotation ------------------------------------------------------------------------------------
 */

static unsigned leader(const char *name, enum kubesvc_family family)
{
    g_autoptr(GByteArray) frame = serving_ask(&serving, name, family);

    assert_int_equal(serving_answer(frame).status, KUBESVC_STATUS_FOUND);
    return serving_addresses(frame)[family == KUBESVC_FAMILY_INET6 ? 15 : 3];
}

static void test_each_address_leads_equally_often(void **state)
{
    unsigned pair[3] = {0}, dual[4] = {0}, dual6[3] = {0};

    (void)state;
    for (int i = 0; i < 300; i++) {
        g_autoptr(GByteArray) none = serving_ask(&serving, "pair", KUBESVC_FAMILY_INET6);
        g_autoptr(GByteArray) request = serving_name_request("dual", KUBESVC_FAMILY_ANY, 1, 0);
        g_autoptr(GByteArray) withheld = NULL;
        int fd = serving_connect(&serving, -1);

        assert_int_equal(serving_answer(none).status, KUBESVC_STATUS_NO_DATA);
        pair[leader("pair", KUBESVC_FAMILY_INET)]++;
        dual6[leader("dual", KUBESVC_FAMILY_INET6)]++;
        serving_send(fd, request->data, request->len);
        withheld = serving_read(&serving, fd, SEC);
        assert_int_equal(serving_answer(withheld).flags, KUBESVC_ANSWER_WITHHELD);
        close(fd);
        dual[leader("dual", KUBESVC_FAMILY_INET)]++;
    }
    assert_int_equal(pair[1], 150);
    assert_int_equal(pair[2], 150);
    assert_int_equal(dual6[1], 150);
    assert_int_equal(dual6[2], 150);
    for (int i = 1; i <= 3; i++)
        assert_int_equal(dual[i], 100);
}

/* A rotated answer is the whole set, in a circle. */
static void test_rotated_answer_is_whole(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        g_autoptr(GByteArray) frame = serving_ask(&serving, "dual", KUBESVC_FAMILY_ANY);
        const uint8_t *addresses = serving_addresses(frame);

        assert_int_equal(serving_answer(frame).inet, 3);
        assert_int_equal(serving_answer(frame).inet6, 2);
        for (int k = 0; k < 3; k++)
            assert_int_equal(addresses[4 * k + 3], (addresses[3] - 1 + k) % 3 + 1);
        addresses += 12;
        for (int k = 0; k < 2; k++)
            assert_int_equal(addresses[16 * k + 15], (addresses[15] - 1 + k) % 2 + 1);
        assert_int_equal(addresses + 32 - frame->data, frame->len);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_transcripts),
        TEST(test_requests_in_pieces),
        TEST(test_kept_connection),
        TEST(test_pipelined_requests),
        TEST(test_half_closed_connection),
        cmocka_unit_test_setup_teardown(test_nothing_is_missing_before_the_first_load,
                                        setup_unpublished, teardown),
        TEST(test_maps),
        cmocka_unit_test_setup_teardown(test_nothing_is_mapped_before_the_first_load,
                                        setup_unpublished, teardown),
        TEST(test_pending),
        TEST(test_waiting_delays_nobody),
        TEST(test_each_address_leads_equally_often),
        TEST(test_rotated_answer_is_whole),
    };

    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
