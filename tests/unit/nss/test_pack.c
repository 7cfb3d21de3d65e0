/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The layout of answers: the announced size is the used size, at any alignment, and not a byte more
 * is written.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nss/pack.h"

#define NAMES "web.moon.svc.cluster.local\0old.example\0x"
#define OFFSETS 16u

static struct pack_counts counts_new(enum pack_form form, uint32_t names, uint32_t inet,
                                     uint32_t inet6)
{
    static const uint32_t sizes[] = {0, 27, 39, 41};

    return (struct pack_counts){
        .form = form, .names = names, .names_size = sizes[names], .inet = inet, .inet6 = inet6};
}

/* Puts what the daemon would send where the layout wants it. Address i ends in the bytes of i. */
static void receive(struct pack_buffer buffer, const struct pack_counts *counts,
                    const struct pack_layout *layout)
{
    uint8_t *address = (uint8_t *)buffer.start + layout->addresses;

    memcpy(buffer.start + layout->names, NAMES, counts->names_size);
    for (uint32_t i = 0; i < counts->inet + counts->inet6; i++) {
        size_t length = i < counts->inet ? 4 : 16;

        memset(address, 0x20, length);
        address[length - 2] = (uint8_t)(i >> 8);
        address[length - 1] = (uint8_t)i;
        address += length;
    }
    assert_ptr_equal(address, buffer.start + layout->addresses + layout->addresses_size);
}

static void check_address(const void *address, size_t length, uint32_t i)
{
    const uint8_t *bytes = address;

    assert_int_equal(bytes[0], 0x20);
    assert_int_equal(bytes[length - 2], (uint8_t)(i >> 8));
    assert_int_equal(bytes[length - 1], (uint8_t)i);
}

static void check_hostent(struct pack_buffer buffer, const struct pack_counts *counts,
                          const struct pack_layout *layout)
{
    struct hostent host;
    int length = counts->inet ? 4 : 16;
    uint32_t n = counts->inet + counts->inet6;

    pack_hostent(buffer, counts, layout, &host);
    assert_string_equal(host.h_name, "web.moon.svc.cluster.local");
    assert_int_equal(host.h_addrtype, counts->inet ? AF_INET : AF_INET6);
    assert_int_equal(host.h_length, length);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal((uintptr_t)host.h_addr_list[i] % 4, 0);
        check_address(host.h_addr_list[i], (size_t)length, i);
    }
    assert_null(host.h_addr_list[n]);
    for (uint32_t i = 1; i < counts->names; i++)
        assert_string_equal(host.h_aliases[i - 1], i == 1 ? "old.example" : "x");
    assert_null(host.h_aliases[counts->names - 1]);
}

static void check_tuples(struct pack_buffer buffer, const struct pack_counts *counts,
                         const struct pack_layout *layout)
{
    const struct gaih_addrtuple *tuple = pack_tuples(buffer, counts, layout);

    for (uint32_t i = 0; i < counts->inet + counts->inet6; i++, tuple = tuple->next) {
        assert_non_null(tuple);
        assert_string_equal(tuple->name, "web.moon.svc.cluster.local");
        assert_int_equal(tuple->family, i < counts->inet ? AF_INET : AF_INET6);
        assert_int_equal(tuple->scopeid, 0);
        check_address(tuple->addr, i < counts->inet ? 4 : 16, i);
    }
    assert_null(tuple);
}

/* In a buffer of exactly the size needed, from the heap, so that a sanitizer sees one byte more. */
static void check_exact(struct pack_counts counts, size_t offset)
{
    struct pack_layout layout = pack_layout_new(&counts);
    size_t padding = -offset % _Alignof(struct gaih_addrtuple);
    char *memory = malloc(offset + padding + layout.size);
    struct pack_buffer buffer = pack_buffer_new(memory + offset, padding + layout.size);

    assert_int_equal(buffer.size, layout.size);
    receive(buffer, &counts, &layout);
    assert_true(pack_names_are_valid(buffer.start + layout.names, &counts));
    if (counts.form == PACK_HOSTENT)
        check_hostent(buffer, &counts, &layout);
    else
        check_tuples(buffer, &counts, &layout);
    free(memory);
}

static void test_exact_fit(void **state)
{
    static const uint32_t numbers[] = {1, 2, 3, 23, 24, 25, 26, 100, 1000};

    (void)state;
    for (size_t offset = 0; offset < OFFSETS; offset++) {
        for (uint32_t names = 1; names <= 3; names++) {
            for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
                uint32_t n = numbers[i];

                check_exact(counts_new(PACK_HOSTENT, names, n, 0), offset);
                check_exact(counts_new(PACK_HOSTENT, names, 0, n), offset);
                check_exact(counts_new(PACK_TUPLES, names, n, 0), offset);
                check_exact(counts_new(PACK_TUPLES, names, 0, n), offset);
                check_exact(counts_new(PACK_TUPLES, names, n, n + 1), offset);
            }
        }
    }
}

static void test_buffers_too_small_to_align(void **state)
{
    const size_t align = alignof(struct gaih_addrtuple); /* 8, or 4 as on i386 */
    char memory[64] __attribute__((aligned(16)));

    (void)state;
    assert_int_equal(pack_buffer_new(NULL, 0).size, 0);
    assert_int_equal(pack_buffer_new(NULL, 100).size, 0);
    assert_int_equal(pack_buffer_new(memory + 1, 0).size, 0);
    assert_int_equal(pack_buffer_new(memory + 1, 3).size, 0);
    assert_int_equal(pack_buffer_new(memory, sizeof(memory)).size, sizeof(memory));
    assert_ptr_equal(pack_buffer_new(memory + align + 1, 50).start, memory + 2 * align);
    assert_int_equal(pack_buffer_new(memory + align + 1, 50).size, 50 - (align - 1));
}

/* `room` addresses fit with the longest name, one more does not. */
static void test_room_is_exact(void **state)
{
    char *memory = malloc(20000);

    (void)state;
    for (int family = 0; family < 3; family++) {
        enum pack_form form = family == 2 ? PACK_TUPLES : PACK_HOSTENT;
        struct pack_counts counts = {.form = form, .names = 1, .names_size = KUBESVC_NAME_MAX + 1};
        uint32_t *n = family == 1 ? &counts.inet6 : &counts.inet;

        for (size_t size = 300; size < 20000; size += 7) {
            struct pack_buffer buffer = pack_buffer_new(memory, size);

            *n = pack_room(buffer, form, family == 1 ? AF_INET6 : AF_INET);
            assert_true(*n == 0 || pack_layout_new(&counts).size <= size);
            ++*n;
            assert_true(pack_layout_new(&counts).size > size);
        }
    }
    assert_int_equal(pack_room((struct pack_buffer){0}, PACK_TUPLES, AF_INET), 0);
    assert_int_equal(pack_room(pack_buffer_new(memory, 100), PACK_HOSTENT, AF_INET), 0);
    assert_int_equal(pack_room((struct pack_buffer){memory, SIZE_MAX}, PACK_HOSTENT, AF_INET),
                     KUBESVC_ADDRESSES_MAX);
    free(memory);
}

static void test_largest_answer_does_not_overflow(void **state)
{
    struct pack_counts counts = {
        .form = PACK_TUPLES,
        .names = KUBESVC_NAMES_MAX,
        .names_size = KUBESVC_NAMES_SIZE_MAX,
        .inet6 = KUBESVC_ADDRESSES_MAX,
    };

    (void)state;
    assert_int_equal(pack_layout_new(&counts).size,
                     (uint64_t)KUBESVC_ADDRESSES_MAX * sizeof(struct gaih_addrtuple) +
                         KUBESVC_NAMES_SIZE_MAX);
    counts.form = PACK_HOSTENT;
    assert_true(pack_layout_new(&counts).size > (size_t)KUBESVC_ADDRESSES_MAX * 16);
}

static bool names_valid(uint32_t names, const char *text, uint32_t size)
{
    struct pack_counts counts = {.names = names, .names_size = size};
    char *exact = malloc(size);

    memcpy(exact, text, size);
    bool valid = pack_names_are_valid(exact, &counts);

    free(exact);
    return valid;
}

static void test_names(void **state)
{
    (void)state;
    assert_true(names_valid(1, "a", 2));
    assert_true(names_valid(3, NAMES, 41));
    assert_false(names_valid(1, "ab", 2));   /* no NUL */
    assert_false(names_valid(2, "a\0b", 3)); /* no NUL at the end */
    assert_false(names_valid(1, "a\0b", 4)); /* more strings than announced */
    assert_false(names_valid(3, "a\0b", 4)); /* fewer */
    assert_false(names_valid(2, "a\0", 3));  /* an empty one */
    assert_false(names_valid(1, "a b", 4));
    assert_false(names_valid(1, "a.", 3));
    assert_false(names_valid(1, "a\n", 3));
    assert_false(names_valid(1, "\xc3\xa4", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_fit),
        cmocka_unit_test(test_buffers_too_small_to_align),
        cmocka_unit_test(test_room_is_exact),
        cmocka_unit_test(test_largest_answer_does_not_overflow),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
