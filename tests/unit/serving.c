/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "serving.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/publish/record.h"
#include "daemon/publish/record_builder.h"
#include "tests/unit/alarm.h"

#define LIMIT 5000000u

static void put(struct serving *serving, const struct record_key *key, GByteArray *record)
{
    int r =
        snapshot_writer_put(serving->writer, key->bytes, key->length, record->data, record->len);

    assert(r == 0);
    g_byte_array_unref(record);
}

static void put_service(struct serving *serving, const char *name, enum zone_service_type type,
                        GArray *addresses, const char *target)
{
    struct zone_service service = {.type = type, .addresses = addresses, .target = target};
    struct record_key key;
    bool fits = record_key_service(&key, name, "moon");

    assert(fits);
    put(serving, &key, record_service_new(&service));
}

static GArray *addresses_of(const char *const *texts)
{
    GArray *addresses = g_array_new(FALSE, FALSE, sizeof(struct address));

    for (; *texts; texts++) {
        struct address address;
        bool parsed = address_parse(&address, *texts, strlen(*texts));

        assert(parsed);
        g_array_append_val(addresses, address);
    }
    return addresses;
}

static void fill(struct serving *serving)
{
    g_autoptr(GArray) one = addresses_of((const char *const[]){"10.96.0.1", NULL});
    g_autoptr(GArray) pair = addresses_of((const char *const[]){"10.1.0.1", "10.1.0.2", NULL});
    g_autoptr(GArray) dual = addresses_of(
        (const char *const[]){"10.2.0.1", "10.2.0.2", "10.2.0.3", "fd00::1", "fd00::2", NULL});
    struct record_settings settings = {
        .ndots = 5, .zone = "cluster.local", .default_namespace = "moon"};
    struct record_key key;
    bool fits = record_key_namespace(&key, "moon");

    assert(fits);
    put(serving, &key, record_namespace_new(KUBESVC_NAMESPACE_EXPOSED));
    record_key_settings(&key);
    put(serving, &key, record_settings_new(&settings));
    record_key_address(&key, &g_array_index(one, struct address, 0));
    put(serving, &key,
        record_address_new(
            &(struct zone_address){.known = true, .name = "one.moon", .pods = &(GPtrArray){0}}));
    put_service(serving, "one", ZONE_CLUSTER_IP, one, NULL);
    put_service(serving, "pair", ZONE_HEADLESS, pair, NULL);
    put_service(serving, "dual", ZONE_HEADLESS, dual, NULL);
    put_service(serving, "far", ZONE_EXTERNAL_NAME, NULL, "far.test");
    put_service(serving, "late", ZONE_EXTERNAL_NAME, NULL, "late.test");
    put_service(serving, "dead", ZONE_EXTERNAL_NAME, NULL, "dead.test");
}

void serving_put_many(struct serving *serving, const char *name, uint32_t n)
{
    g_autoptr(GArray) addresses = g_array_sized_new(FALSE, FALSE, sizeof(struct address), n);

    for (uint32_t i = 0; i < n; i++) {
        struct address address = {{[10] = 0xff,
                                   [11] = 0xff,
                                   [12] = 10,
                                   [13] = (uint8_t)(128 + (i >> 16)),
                                   [14] = (uint8_t)(i >> 8),
                                   [15] = (uint8_t)i}};

        g_array_append_val(addresses, address);
    }
    put_service(serving, name, ZONE_HEADLESS, addresses, NULL);
    snapshot_writer_publish(serving->writer);
}

static void on_answered(void *userdata)
{
    server_retry(((struct serving *)userdata)->server);
}

void serving_start(struct serving *serving, bool publish)
{
    g_autoptr(GPtrArray) servers = g_ptr_array_new_with_free_func(g_free);
    int r;

    *serving = (struct serving){.directory = g_dir_make_tmp("kubesvc-XXXXXX", NULL)};
    r = serving->directory ? chmod(serving->directory, 0755) : -1;
    assert(r == 0);
    serving->path = g_build_filename(serving->directory, "socket", NULL);
    r = sd_event_new(&serving->event);
    assert(r >= 0);
    fake_nameserver_start(&serving->nameserver, serving->event);
    g_ptr_array_add(servers, g_strdup_printf("127.0.0.1:%u", serving->nameserver.port));
    r = upstream_new(&serving->upstream, serving->event, servers, on_answered, serving);
    assert(r == 0);
    r = snapshot_writer_new(&serving->writer);
    assert(r == 0);
    fill(serving);
    if (publish)
        snapshot_writer_publish(serving->writer);
    r = server_new(&serving->server, serving->event, serving->path, -1,
                   snapshot_writer_root(serving->writer), serving->upstream);
    assert(r == 0);
}

void serving_stop(struct serving *serving)
{
    int r;

    server_free(serving->server);
    upstream_free(serving->upstream);
    snapshot_writer_free(serving->writer);
    fake_nameserver_stop(&serving->nameserver);
    sd_event_unref(serving->event);
    r = rmdir(serving->directory); /* which fails if the server left anything behind */
    assert(r == 0);
    g_free(serving->directory);
    g_free(serving->path);
}

void serving_turn(struct serving *serving, uint64_t usec)
{
    int r = sd_event_run(serving->event, usec);

    assert(r >= 0);
}

uint64_t serving_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void serving_pass(struct serving *serving, uint64_t usec)
{
    for (uint64_t end = serving_now() + usec, now; (now = serving_now()) < end;)
        serving_turn(serving, end - now);
}

/* 0 or errno. */
static int connect_as(int fd, const struct sockaddr_un *address, int uid)
{
    int r = 0, error;

    if (uid >= 0)
        r = seteuid((uid_t)uid);
    assert(r == 0);
    error = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;
    if (uid >= 0)
        r = seteuid(0);
    assert(r == 0);
    return error;
}

int serving_connect(struct serving *serving, int uid)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int r, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    strncpy(address.sun_path, serving->path, sizeof address.sun_path - 1);
    while ((r = connect_as(fd, &address, uid)) == EAGAIN) /* the backlog is full */
        serving_turn(serving, 0);
    assert(r == 0);
    return fd;
}

static GByteArray *new_frame(enum kubesvc_request_type type, size_t length, uint16_t flags)
{
    struct kubesvc_header header = {.magic = htole32(KUBESVC_MAGIC),
                                    .version = 1,
                                    .type = (uint8_t)type,
                                    .flags = htole16(flags),
                                    .length = htole32((uint32_t)length)};

    return g_byte_array_append(g_byte_array_new(), (const uint8_t *)&header, sizeof header);
}

GByteArray *serving_name_request(const char *name, enum kubesvc_family family, uint32_t room,
                                 uint16_t flags)
{
    struct kubesvc_name_request request = {
        .room = htole32(room), .family = (uint8_t)family, .name_length = (uint8_t)strlen(name)};
    GByteArray *frame =
        new_frame(KUBESVC_REQUEST_NAME, sizeof request + request.name_length, flags);

    g_byte_array_append(frame, (const uint8_t *)&request, sizeof request);
    return g_byte_array_append(frame, (const uint8_t *)name, request.name_length);
}

GByteArray *serving_address_request(const uint8_t *address, enum kubesvc_family family)
{
    struct kubesvc_address_request request = {.family = (uint8_t)family};
    GByteArray *frame = new_frame(KUBESVC_REQUEST_ADDRESS, sizeof request, 0);

    memcpy(request.address, address, family == KUBESVC_FAMILY_INET ? 4 : 16);
    return g_byte_array_append(frame, (const uint8_t *)&request, sizeof request);
}

void serving_send(int fd, const void *data, size_t size)
{
    ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

    assert(n == (ssize_t)size);
}

/* Reads up to `size` bytes in all into the frame. False: closed. */
static bool read_to(struct serving *serving, int fd, GByteArray *frame, size_t size,
                    sd_event_source *limit)
{
    uint8_t data[65536];

    while (frame->len < size) {
        ssize_t n = recv(fd, data, MIN(sizeof data, size - frame->len), 0);

        if (n > 0) {
            g_byte_array_append(frame, data, (guint)n);
        } else if (n < 0 && errno == EAGAIN) {
            assert(!alarm_rang(limit));
            serving_turn(serving, 50000);
        } else {
            return false;
        }
    }
    return true;
}

GByteArray *serving_read(struct serving *serving, int fd, uint64_t limit)
{
    GByteArray *frame = g_byte_array_new();
    ALARM alarm = alarm_new(serving->event, limit);
    struct kubesvc_header header;

    if (read_to(serving, fd, frame, sizeof header, alarm)) {
        memcpy(&header, frame->data, sizeof header);
        assert(le32toh(header.magic) == KUBESVC_MAGIC && header.version == 1);
        if (read_to(serving, fd, frame, sizeof header + le32toh(header.length), alarm))
            return frame;
    }
    g_byte_array_unref(frame);
    return NULL;
}

GByteArray *serving_ask(struct serving *serving, const char *name, enum kubesvc_family family)
{
    GByteArray *request = serving_name_request(name, family, KUBESVC_ADDRESSES_MAX, 0);
    int fd = serving_connect(serving, -1);
    GByteArray *frame;

    assert(fd >= 0);
    serving_send(fd, request->data, request->len);
    frame = serving_read(serving, fd, LIMIT);
    close(fd);
    g_byte_array_unref(request);
    assert(frame && frame->data[5] == KUBESVC_RESPONSE_ANSWER);
    return frame;
}

bool serving_is_closed(struct serving *serving, int fd, uint64_t usec)
{
    ALARM alarm = alarm_new(serving->event, usec);
    uint8_t byte;

    for (;;) {
        ssize_t n = recv(fd, &byte, 1, 0);

        assert(n <= 0);
        if (n == 0 || errno != EAGAIN)
            return true;
        if (usec == 0 || alarm_rang(alarm))
            return false;
        serving_turn(serving, usec);
    }
}

struct kubesvc_answer serving_answer(const GByteArray *frame)
{
    struct kubesvc_answer answer;

    assert(frame->len >= sizeof(struct kubesvc_header) + sizeof answer &&
           frame->data[5] == KUBESVC_RESPONSE_ANSWER);
    memcpy(&answer, frame->data + sizeof(struct kubesvc_header), sizeof answer);
    return (struct kubesvc_answer){
        .status = answer.status,
        .flags = answer.flags,
        .names = le16toh(answer.names),
        .names_size = le32toh(answer.names_size),
        .inet = le32toh(answer.inet),
        .inet6 = le32toh(answer.inet6),
    };
}

const uint8_t *serving_addresses(const GByteArray *frame)
{
    return frame->data + sizeof(struct kubesvc_header) + sizeof(struct kubesvc_answer) +
           serving_answer(frame).names_size;
}
