/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What reports are made of: words in, frames and lines of JSON out, and the histogram of latencies.
 * The reports themselves are tested with the whole daemon, in tests/e2e/test_inspect.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <endian.h>
#include <glib.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/inspect/args.h"
#include "daemon/inspect/frame_writer.h"
#include "daemon/inspect/report.h"
#include "daemon/inspect/report_json.h"
#include "daemon/serve/histogram.h"
#include "lib/util/suggest.h"

/* --- Words --- */

static void test_words(void **state)
{
    struct args args;

    (void)state;
    assert_true(args_parse(&args, "describe\0\0web\0", 14));
    assert_int_equal(args.n, 3);
    assert_string_equal(args_get(&args, 0), "describe");
    assert_string_equal(args_get(&args, 1), "");
    assert_string_equal(args_get(&args, 2), "web");
    assert_string_equal(args_get(&args, 3), "");
    assert_string_equal(args_get(&args, 1000), "");
    assert_true(args_parse(&args, "\0\0\0\0\0\0\0\0", 8));
    assert_int_equal(args.n, KUBESVC_INSPECT_ARGS);
}

static void test_words_that_are_none(void **state)
{
    struct args args;

    (void)state;
    assert_false(args_parse(&args, "", 0));
    assert_false(args_parse(&args, "status", 6));
    assert_false(args_parse(&args, "status\0x", 8));
    assert_false(args_parse(&args, "\0\0\0\0\0\0\0\0\0", 9));
}

/* Verbs are exact, and so is the number of their words. */
static void test_verbs(void **state)
{
    static const struct {
        const char *payload;
        size_t size;
        report_fn write;
    } cases[] = {
        {"status", 7, report_status},
        {"status\0x", 9, NULL},
        {"Status", 7, NULL},
        {"statu", 6, NULL},
        {"", 1, NULL},
        {"services", 9, report_services},
        {"services\0moon", 14, report_services},
        {"services\0moon\0x", 16, NULL},
        {"describe\0moon", 14, NULL},
        {"describe\0moon\0web", 18, report_describe},
        {"query\0\0web\0any", 15, report_query},
        {"query\0\0web", 11, NULL},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct args args;

        assert_true(args_parse(&args, cases[i].payload, cases[i].size));
        assert_ptr_equal(report_find(&args), cases[i].write);
    }
}

/* --- Frames --- */

/* A report of `size` bytes, made piece by piece. */
static void make_frames(struct frame_writer *frames, size_t size)
{
    frame_writer_init(frames);
    for (size_t done = 0; done < size; done += 7) {
        char piece[7];

        for (size_t i = 0; i < sizeof piece; i++)
            piece[i] = (char)('a' + (done + i) % 26);
        frame_writer_write(frames, piece, MIN(sizeof piece, size - done));
    }
    frame_writer_end(frames, KUBESVC_INSPECT_NOT_FOUND);
}

struct sending {
    struct frame_writer frames;
    int fd;
};

/* As the daemon does: as much as the socket takes, whenever it takes something. */
static void *send_frames(void *data)
{
    struct sending *sending = data;
    struct pollfd pollfd = {.fd = sending->fd, .events = POLLOUT};
    int r;

    while ((r = frame_writer_send(&sending->frames, sending->fd)) == FRAME_WRITER_LEFT)
        assert_int_equal(poll(&pollfd, 1, -1), 1);
    assert_int_equal(r, 0);
    assert_int_equal(sending->frames.size, 0);
    close(sending->fd);
    return NULL;
}

static void read_all(int fd, void *data, size_t size)
{
    assert_int_equal(recv(fd, data, size, MSG_WAITALL), (ssize_t)size);
}

static uint32_t read_header(int fd, uint8_t *type)
{
    struct kubesvc_header header;

    read_all(fd, &header, sizeof header);
    assert_int_equal(le32toh(header.magic), KUBESVC_MAGIC);
    assert_int_equal(header.version, 1);
    assert_int_equal(header.flags, 0);
    assert_int_equal(header.reserved, 0);
    *type = header.type;
    return le32toh(header.length);
}

static void check_frames(size_t size)
{
    g_autofree char *text = g_malloc(KUBESVC_INSPECT_FRAME);
    struct kubesvc_inspect_end end;
    size_t received = 0;
    uint8_t type;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    struct sending sending = {.fd = fds[1]};
    make_frames(&sending.frames, size);
    assert_true(sending.frames.size > size);
    GThread *writer = g_thread_new("writer", send_frames, &sending);
    while (received < size) {
        uint32_t length = read_header(fds[0], &type);

        assert_int_equal(type, KUBESVC_RESPONSE_TEXT);
        assert_in_range(length, 1, KUBESVC_INSPECT_FRAME);
        read_all(fds[0], text, length);
        for (uint32_t i = 0; i < length; i++)
            assert_int_equal(text[i], 'a' + (received + i) % 26);
        received += length;
    }
    assert_int_equal(received, size);
    assert_int_equal(read_header(fds[0], &type), sizeof end);
    assert_int_equal(type, KUBESVC_RESPONSE_END);
    read_all(fds[0], &end, sizeof end);
    assert_int_equal(le32toh(end.result), KUBESVC_INSPECT_NOT_FOUND);
    assert_int_equal(recv(fds[0], text, 1, 0), 0);
    g_thread_join(writer);
    frame_writer_clear(&sending.frames);
    close(fds[0]);
}

static void test_frames(void **state)
{
    static const size_t sizes[] = {0,
                                   1,
                                   KUBESVC_INSPECT_FRAME - 1,
                                   KUBESVC_INSPECT_FRAME,
                                   KUBESVC_INSPECT_FRAME + 1,
                                   10 * KUBESVC_INSPECT_FRAME + 5};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        check_frames(sizes[i]);
}

/* Sending to a closed connection ends soon, without a signal; the rest is freed. */
static void test_frames_for_nobody(void **state)
{
    struct frame_writer frames;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    close(fds[0]);
    make_frames(&frames, 10 * KUBESVC_INSPECT_FRAME);
    assert_true(frame_writer_send(&frames, fds[1]) < 0);
    frame_writer_clear(&frames);
    close(fds[1]);
}

/* What does not fit into memory is not sent in part. */
static void test_frames_of_too_much(void **state)
{
    g_autofree char *text = g_malloc0(16 << 20);
    struct frame_writer frames;
    struct kubesvc_inspect_end end;
    uint8_t type;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    frame_writer_init(&frames);
    for (size_t size = 0; size <= FRAME_WRITER_SIZE_MAX; size += 16 << 20)
        frame_writer_write(&frames, text, 16 << 20);
    assert_true(frames.size <= FRAME_WRITER_SIZE_MAX);
    frame_writer_end(&frames, KUBESVC_INSPECT_DONE);
    assert_int_equal(frame_writer_send(&frames, fds[1]), 0);
    assert_int_equal(read_header(fds[0], &type), sizeof end);
    read_all(fds[0], &end, sizeof end);
    assert_int_equal(le32toh(end.result), KUBESVC_INSPECT_TOO_LARGE);
    frame_writer_clear(&frames);
    close(fds[0]);
    close(fds[1]);
}

/* --- JSON --- */

static void append(void *userdata, const char *text, size_t size)
{
    g_string_append_len(userdata, text, (gssize)size);
}

static void test_json(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    struct json *json = json_new(false, append, text);
    struct label pair = {"app", "web"};
    const struct labels *labels = labels_new(&pair, 1);
    const uint8_t addresses[] = {10, 0, 0, 1, 10, 0, 0, 2};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        json_open(json, NULL);
        json_text(json, "text", "bell\a quote\" back\\slash \x7f \xc2\x85 \xc3\xa9");
        json_text(json, "absent", NULL);
        json_text(json, "invalid",
                  "a\xff"
                  "b");
        json_number(json, "number", UINT64_MAX);
        json_bool(json, "bool", true);
        json_labels(json, "labels", labels);
        json_labels(json, "none", NULL);
        json_addresses(json, "inet", addresses, 2, 4);
        json_addresses(json, "inet6", NULL, 0, 16);
        json_time(json, "never", 0);
        json_time(json, "time", UINT64_C(1700000000123456));
        json_open_list(json, "list");
        json_number(json, NULL, 1);
        json_close_list(json);
        json_close_line(json);
    }
    const char *line = "{\"text\":\"bell\\u0007 quote\\\" back\\\\slash \x7f \xc2\x85 \xc3\xa9\","
                       "\"invalid\":\"a\xef\xbf\xbd"
                       "b\",\"number\":18446744073709551615,\"bool\":true,"
                       "\"labels\":{\"app\":\"web\"},\"inet\":[\"10.0.0.1\",\"10.0.0.2\"],"
                       "\"time\":\"2023-11-14T22:13:20Z\",\"list\":[1]}\n";
    g_autofree char *expected = g_strconcat(line, line, NULL);
    assert_string_equal(text->str, expected);
    labels_unref(labels);
    json_free(json);
}

/* --- Latency --- */

static void test_latency(void **state)
{
    struct histogram latency = {0};
    uint64_t sum = 0;

    (void)state;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t limit = histogram_limit(i);

        assert_true(i == 0 || limit > histogram_limit(i - 1));
        if (limit == UINT64_MAX)
            break;
        histogram_add(&latency, limit);     /* the last of this bucket */
        histogram_add(&latency, limit + 1); /* the first of the next */
        sum += 2 * limit + 1;
    }
    assert_true(histogram_limit(HISTOGRAM_BUCKETS - 1) == UINT64_MAX);
    assert_int_equal(latency.counts[0], 1);
    for (unsigned i = 1; i + 1 < HISTOGRAM_BUCKETS; i++)
        assert_int_equal(latency.counts[i], 2);
    assert_int_equal(latency.counts[HISTOGRAM_BUCKETS - 1], 1);
    assert_true(latency.sum == sum);
}

/* --- Names that look alike --- */

static void test_typos(void **state)
{
    static const struct {
        const char *a, *b;
        bool typo;
    } cases[] = {
        {"web", "wbe", true},          {"web", "web", false}, {"web", "web2", true},
        {"web", "db", false},          {"a", "b", false},     {"regular-svc", "regular-scv", true},
        {"payments", "payment", true}, {"", "a", false},      {"frontend", "backend", false},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(suggest_is_typo(cases[i].a, cases[i].b), cases[i].typo);
        assert_int_equal(suggest_is_typo(cases[i].b, cases[i].a), cases[i].typo);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_words_that_are_none),
        cmocka_unit_test(test_verbs),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_frames_for_nobody),
        cmocka_unit_test(test_frames_of_too_much),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_latency),
        cmocka_unit_test(test_typos),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
