/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The builders of records, read back with the readers that the resolver uses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/resolve/settings.h"
#include "tests/unit/world.h"

/* Of the rows of a C array, which stay where they are. */
#define ARRAY_OF(rows) (&(GArray){(gchar *)(rows), G_N_ELEMENTS(rows)})

static GArray *set_of(const char *text)
{
    g_autoptr(GPtrArray) owner = g_ptr_array_new();

    return world_set(owner, text);
}

static struct snapshot_record view_of(const GByteArray *bytes)
{
    assert_int_equal((uintptr_t)bytes->data % sizeof(uint32_t), 0);
    return (struct snapshot_record){bytes->data, bytes->len};
}

static void assert_span(struct snapshot_record record, const struct kubesvc_span *span,
                        const char *expected)
{
    uint32_t length;
    const uint8_t *text = snapshot_span(record, span, &length);

    assert_non_null(text);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(text, expected, length);
}

static void assert_set(struct snapshot_record record, const struct kubesvc_set *set,
                       const char *expected)
{
    uint32_t n = snapshot_u32(&set->n_inet), n6 = snapshot_u32(&set->n_inet6);
    g_autofree char *inet =
        world_format(AF_INET, snapshot_bytes(record, snapshot_u32(&set->inet), (uint64_t)n * 4), n);
    g_autofree char *inet6 = world_format(
        AF_INET6, snapshot_bytes(record, snapshot_u32(&set->inet6), (uint64_t)n6 * 16), n6);
    g_autofree char *both = g_strdup_printf("%s|%s", inet, inet6);

    assert_string_equal(both, expected);
}

static void keys(void **state)
{
    const struct address address = world_parse("10.0.0.1");
    g_autofree char *label = g_strnfill(KUBESVC_NAME_MAX + 1, 'a');
    struct record_key key;

    (void)state;
    record_key_settings(&key);
    assert_int_equal(key.length, 1);
    assert_memory_equal(key.bytes, "c", 1);
    assert_true(record_key_namespace(&key, "Prod"));
    assert_int_equal(key.length, 5);
    assert_memory_equal(key.bytes, "nprod", 5);
    assert_true(record_key_service(&key, "DB", "prod"));
    assert_int_equal(key.length, 8);
    assert_memory_equal(key.bytes, "sdb.prod", 8);
    record_key_address(&key, &address);
    assert_int_equal(key.length, 17);
    assert_memory_equal(key.bytes, "a\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x01", 17);

    assert_false(record_key_namespace(&key, label));
    assert_false(record_key_service(&key, label, "prod"));
    label[KUBESVC_NAME_MAX] = '\0';
    assert_true(record_key_namespace(&key, label));
    assert_false(record_key_service(&key, label, "prod"));
    label[KUBESVC_NAME_MAX - 5] = '\0';
    assert_true(record_key_service(&key, label, "prod"));
}

static void addresses_are_sorted_and_stored_once(void **state)
{
    g_autoptr(GArray) addresses = set_of("10.0.0.2 fd00::2 10.0.0.1 fd00::1 10.0.0.2 ::1");
    g_autoptr(GArray) same = set_of("::1 fd00::1 fd00::2 10.0.0.1 10.0.0.2");
    struct zone_port ports[] = {
        {"http", KUBESVC_PROTOCOL_TCP, 80, same},
        {"dns", KUBESVC_PROTOCOL_UDP, 53, addresses},
    };
    const struct zone_service service = {
        .type = ZONE_HEADLESS,
        .addresses = addresses,
        .unnamed = same,
        .ports = ARRAY_OF(ports),
    };
    g_autoptr(GByteArray) bytes = record_service_new(&service);
    struct snapshot_record record = view_of(bytes);
    const struct kubesvc_service *stored = (const void *)record.data;

    (void)state;
    assert_set(record, &stored->addresses, "10.0.0.1 10.0.0.2|::1 fd00::1 fd00::2");
    assert_memory_equal(&stored->addresses, &stored->unnamed, sizeof stored->addresses);
    /* head, six entries (two names, each for its protocol and for any; "" for each), names, set */
    assert_int_equal(record.length,
                     sizeof *stored + 6 * sizeof(struct kubesvc_port) + 4 + 3 + 2 * 4 + 3 * 16);
    /* the caller's arrays are as they were */
    assert_int_equal(addresses->len, 6);
    assert_int_equal(same->len, 5);
}

static void endpoints_of_one_label_are_one(void **state)
{
    g_autoptr(GArray) a = set_of("10.0.0.1"), b = set_of("10.0.0.2 fd00::2"),
                      unnamed = set_of("10.0.0.9 10.0.0.8");
    struct zone_endpoint endpoints[] = {
        {"web-1", b}, {"Web-0", a}, {"web-0", b}, {"10-0-0-9", a}, {"web-1", b}, {"none", NULL},
    };
    const struct zone_service service = {
        .type = ZONE_HEADLESS,
        .unnamed = unnamed,
        .endpoints = ARRAY_OF(endpoints),
    };
    g_autoptr(GByteArray) bytes = record_service_new(&service);
    struct snapshot_record record = view_of(bytes);
    const struct kubesvc_service *stored = (const void *)record.data;
    const struct kubesvc_endpoint *table;
    uint32_t n;

    (void)state;
    table = (const void *)snapshot_table(record, &stored->endpoints, sizeof *table, &n);
    assert_int_equal(n, 4);
    assert_span(record, &table[0].label, "10-0-0-9");
    assert_set(record, &table[0].addresses, "10.0.0.1 10.0.0.9|");
    assert_span(record, &table[1].label, "none");
    assert_set(record, &table[1].addresses, "|");
    assert_span(record, &table[2].label, "web-0");
    assert_set(record, &table[2].addresses, "10.0.0.1 10.0.0.2|fd00::2");
    assert_span(record, &table[3].label, "web-1");
    assert_set(record, &table[3].addresses, "10.0.0.2|fd00::2");
}

static void ports_get_entries_for_any(void **state)
{
    static const struct {
        const char *name;
        enum kubesvc_protocol protocol;
        uint32_t number;
        const char *addresses;
    } expected[] = {
        {"", KUBESVC_PROTOCOL_TCP, 0, "10.0.0.1 10.0.0.2 10.0.0.3|"},
        {"", KUBESVC_PROTOCOL_UDP, 53, "10.0.0.2|"},
        {"dns", KUBESVC_PROTOCOL_ANY, 53, "10.0.0.1 10.0.0.2|"},
        {"dns", KUBESVC_PROTOCOL_TCP, 53, "10.0.0.1|"},
        {"dns", KUBESVC_PROTOCOL_UDP, 53, "10.0.0.2|"},
        {"http", KUBESVC_PROTOCOL_ANY, 0, "10.0.0.1 10.0.0.2|"},
        {"http", KUBESVC_PROTOCOL_TCP, 0, "10.0.0.1 10.0.0.2|"},
    };
    g_autoptr(GArray) a = set_of("10.0.0.1"), b = set_of("10.0.0.2"), c = set_of("10.0.0.3");
    struct zone_port ports[] = {
        {"dns", KUBESVC_PROTOCOL_TCP, 53, a},    {"dns", KUBESVC_PROTOCOL_UDP, 53, b},
        {"http", KUBESVC_PROTOCOL_TCP, 8080, a}, {"HTTP", KUBESVC_PROTOCOL_TCP, 8081, b},
        {NULL, KUBESVC_PROTOCOL_TCP, 9000, c},
    };
    const struct zone_service service = {
        .type = ZONE_HEADLESS,
        .ports = ARRAY_OF(ports),
    };
    g_autoptr(GByteArray) bytes = record_service_new(&service);
    struct snapshot_record record = view_of(bytes);
    const struct kubesvc_service *stored = (const void *)record.data;
    const struct kubesvc_port *table;
    uint32_t n;

    (void)state;
    table = (const void *)snapshot_table(record, &stored->ports, sizeof *table, &n);
    assert_int_equal(n, sizeof expected / sizeof expected[0]);
    for (uint32_t i = 0; i < n; i++) {
        assert_span(record, &table[i].name, expected[i].name);
        assert_int_equal(snapshot_u32(&table[i].protocol), expected[i].protocol);
        assert_int_equal(snapshot_u32(&table[i].number), expected[i].number);
        assert_set(record, &table[i].addresses, expected[i].addresses);
    }
}

/* If ports with and without a name are together, or one has several numbers, all are listed. */
static void numbers_that_ports_leave_open(void **state)
{
    static const struct {
        const char *name;
        enum kubesvc_protocol protocol;
        uint32_t number;
        const char *addresses;
    } expected[] = {
        {"", KUBESVC_PROTOCOL_TCP, 9000, "10.0.0.1|"},
        {"http", KUBESVC_PROTOCOL_TCP, 8080, "10.0.0.1|"},
        {"http", KUBESVC_PROTOCOL_UDP, 8080, "10.0.0.2|"},
        {"http", KUBESVC_PROTOCOL_TCP, 8081, "10.0.0.1 10.0.0.2|"},
    };
    g_autoptr(GArray) a = set_of("10.0.0.1"), b = set_of("10.0.0.2");
    struct zone_port ports[] = {
        {"http", KUBESVC_PROTOCOL_TCP, 8081, b}, {"HTTP", KUBESVC_PROTOCOL_TCP, 8080, a},
        {"http", KUBESVC_PROTOCOL_TCP, 8081, a}, {"http", KUBESVC_PROTOCOL_UDP, 8080, b},
        {NULL, KUBESVC_PROTOCOL_TCP, 9000, a},
    };
    g_autoptr(GByteArray) bytes =
        record_service_new(&(struct zone_service){.type = ZONE_HEADLESS, .ports = ARRAY_OF(ports)});
    struct snapshot_record record = view_of(bytes);
    const struct kubesvc_numbered *stored = (const void *)record.data;
    const struct kubesvc_port *table;
    uint32_t n;

    (void)state;
    assert_int_equal(snapshot_u32(&stored->service.flags), KUBESVC_SERVICE_NUMBERED);
    table = (const void *)snapshot_table(record, &stored->numbers, sizeof *table, &n);
    assert_int_equal(n, sizeof expected / sizeof expected[0]);
    for (uint32_t i = 0; i < n; i++) {
        assert_span(record, &table[i].name, expected[i].name);
        assert_int_equal(snapshot_u32(&table[i].protocol), expected[i].protocol);
        assert_int_equal(snapshot_u32(&table[i].number), expected[i].number);
        assert_set(record, &table[i].addresses, expected[i].addresses);
    }
}

static void no_numbers_where_ports_tell_all(void **state)
{
    g_autoptr(GArray) a = set_of("10.0.0.1"), b = set_of("10.0.0.2");
    struct zone_port named[] = {
        {"http", KUBESVC_PROTOCOL_TCP, 80, a},
        {"https", KUBESVC_PROTOCOL_TCP, 443, a},
        {"http", KUBESVC_PROTOCOL_TCP, 80, b},
        {"dns", KUBESVC_PROTOCOL_UDP, 53, b},
    };
    struct zone_port unnamed[] = {
        {NULL, KUBESVC_PROTOCOL_TCP, 80, a},
        {"", KUBESVC_PROTOCOL_UDP, 80, a},
    };
    const struct zone_service services[] = {
        {.type = ZONE_HEADLESS},
        {.type = ZONE_HEADLESS, .ports = ARRAY_OF(named)},
        {.type = ZONE_CLUSTER_IP, .ports = ARRAY_OF(unnamed)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        g_autoptr(GByteArray) bytes = record_service_new(&services[i]);
        const struct kubesvc_service *stored = (const void *)bytes->data;

        assert_int_equal(snapshot_u32(&stored->flags), 0);
    }
}

static void targets_lose_their_final_dot(void **state)
{
    static const char *const targets[][2] = {
        {"WWW.Example.com", "WWW.Example.com"},
        {"www.example.com.", "www.example.com"},
        {".", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        const struct zone_service service = {
            .type = ZONE_EXTERNAL_NAME,
            .target = targets[i][0],
        };
        g_autoptr(GByteArray) bytes = record_service_new(&service);
        const struct kubesvc_service *stored = (const void *)bytes->data;

        assert_span(view_of(bytes), &stored->target, targets[i][1]);
    }
}

static void address_records(void **state)
{
    static const char *const pods[] = {"q", "p", "q"}, *const other[] = {"p", "q"};
    const struct zone_address address = {
        .known = true, .name = "Web-0.db.prod", .pods = POINTERS_OF(pods, 3)};
    const struct zone_address same = {
        .known = true, .name = "web-0.db.prod", .pods = POINTERS_OF(other, 2)};
    const struct zone_address nameless = {.pods = POINTERS_OF(NULL, 0)};
    g_autoptr(GByteArray) bytes = record_address_new(&address);
    g_autoptr(GByteArray) again = record_address_new(&same);
    g_autoptr(GByteArray) none = record_address_new(&nameless);
    const struct kubesvc_address *stored = (const void *)bytes->data;
    const struct kubesvc_span *spans;
    uint32_t n;

    (void)state;
    assert_int_equal(snapshot_u32(&stored->flags), KUBESVC_ADDRESS_NAMED);
    assert_span(view_of(bytes), &stored->name, "web-0.db.prod");
    spans = (const void *)snapshot_table(view_of(bytes), &stored->pods, sizeof *spans, &n);
    assert_int_equal(n, 2);
    assert_span(view_of(bytes), &spans[0], "p");
    assert_span(view_of(bytes), &spans[1], "q");
    assert_int_equal(bytes->len, again->len);
    assert_memory_equal(bytes->data, again->data, bytes->len);

    stored = (const void *)none->data;
    assert_int_equal(snapshot_u32(&stored->flags), KUBESVC_ADDRESS_FOREIGN);
    assert_int_equal(snapshot_u32(&stored->pods.length), 0);
}

static void settings_records(void **state)
{
    static const char *const search[] = {"prod.svc.cluster.local", "example.com", NULL};
    static const char *const none[] = {NULL};
    static const struct world_options listed = {
        .flags = KUBESVC_SETTINGS_FALLTHROUGH,
        .pods = KUBESVC_PODS_INSECURE,
        .ndots = 3,
        .zone = "Example.ORG",
        .search = search,
    };
    static const struct world_options unlisted = {.search = none};
    struct snapshot_writer *writer = world_new(&listed);
    struct snapshot_view view;
    struct settings settings;
    uint32_t length;

    (void)state;
    assert_true(snapshot_writer_view(writer, &view));
    assert_true(settings_open(&settings, &view));
    assert_int_equal(settings.flags, KUBESVC_SETTINGS_FALLTHROUGH);
    assert_int_equal(settings.pods, KUBESVC_PODS_INSECURE);
    assert_int_equal(settings.ndots, 3);
    assert_int_equal(settings.zone_length, strlen("example.org"));
    assert_memory_equal(settings.zone, "example.org", settings.zone_length);
    assert_int_equal(settings.namespace_length, strlen("testns"));
    assert_memory_equal(settings.ns, "testns", settings.namespace_length);
    assert_false(settings.search_default);
    assert_int_equal(settings.n_search, 2);
    assert_memory_equal(settings_search(&settings, 1, &length), "example.com", 11);
    assert_int_equal(length, 11);
    assert_int_equal(settings.n_ranges, 2);

    world_put_settings(writer, &unlisted);
    snapshot_writer_publish(writer);
    assert_true(snapshot_writer_view(writer, &view));
    assert_true(settings_open(&settings, &view));
    assert_false(settings.search_default);
    assert_int_equal(settings.n_search, 0);

    world_put_settings(writer, &(struct world_options){0});
    snapshot_writer_publish(writer);
    assert_true(snapshot_writer_view(writer, &view));
    assert_true(settings_open(&settings, &view));
    assert_true(settings.search_default);
    snapshot_writer_free(writer);
}

/* The same values in another order give the same bytes: then nothing is republished. */
static void order_does_not_matter(void **state)
{
    g_autoptr(GArray) a = set_of("10.0.0.1 10.0.0.2"), b = set_of("10.0.0.2 10.0.0.1");
    struct zone_endpoint forward[] = {{"x", a}, {"y", b}}, backward[] = {{"y", a}, {"x", b}};
    struct zone_service service = {
        .type = ZONE_HEADLESS, .addresses = a, .endpoints = ARRAY_OF(forward)};
    g_autoptr(GByteArray) first = record_service_new(&service), second = NULL;

    (void)state;
    service.addresses = b;
    service.endpoints = ARRAY_OF(backward);
    second = record_service_new(&service);
    assert_int_equal(first->len, second->len);
    assert_memory_equal(first->data, second->data, first->len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(addresses_are_sorted_and_stored_once),
        cmocka_unit_test(endpoints_of_one_label_are_one),
        cmocka_unit_test(ports_get_entries_for_any),
        cmocka_unit_test(numbers_that_ports_leave_open),
        cmocka_unit_test(no_numbers_where_ports_tell_all),
        cmocka_unit_test(targets_lose_their_final_dot),
        cmocka_unit_test(address_records),
        cmocka_unit_test(settings_records),
        cmocka_unit_test(order_does_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
