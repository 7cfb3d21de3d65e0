/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reader of snapshots: its hash against known values, its walk through arenas made by hand, and
 * what it makes of damaged ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/interrogation.h"
#include "tests/unit/world.h"

static void siphash(void **state)
{
    /* From the appendix of the SipHash paper, and the empty input with the same key. */
    uint8_t seed[16], input[15];

    (void)state;
    for (uint8_t i = 0; i < 16; i++)
        seed[i] = i;
    for (uint8_t i = 0; i < 15; i++)
        input[i] = i;
    assert_true(snapshot_hash(seed, input, sizeof input) == UINT64_C(0xa129ca6149be45e5));
    assert_true(snapshot_hash(seed, "", 0) == UINT64_C(0x726fdb47dd0e0e31));
    assert_true(snapshot_hash(seed, input, 8) == UINT64_C(0x93f5f5799a932462));
}

/* --- Arenas made by hand --- */

#define UNITS 64
#define FIRST ((uint32_t)sizeof(struct kubesvc_snapshot_header) / 8) /* behind the header */

struct hand_made {
    _Alignas(8) uint8_t bytes[UNITS * 8];
};

static void begin(struct hand_made *arena, uint32_t root)
{
    struct kubesvc_snapshot_header header = {
        .magic = htole32(KUBESVC_SNAPSHOT_MAGIC),
        .size = htole32(UNITS),
        .root = htole32(root),
    };

    memset(arena, 0, sizeof *arena);
    memcpy(arena->bytes, &header, sizeof header);
}

static void put_leaf(struct hand_made *arena, uint32_t ref, uint64_t hash, char key,
                     const char *record, uint32_t next)
{
    struct kubesvc_leaf leaf = {
        .type = htole16(KUBESVC_NODE_LEAF),
        .key_length = htole16(1),
        .next = htole32(next),
        .hash = htole64(hash),
        .record_length = htole32((uint32_t)strlen(record)),
    };

    memcpy(arena->bytes + ref * 8, &leaf, sizeof leaf);
    arena->bytes[ref * 8 + sizeof leaf] = (uint8_t)key;
    memcpy(arena->bytes + ref * 8 + sizeof leaf + 8, record, strlen(record));
}

static void put_branch(struct hand_made *arena, uint32_t ref, uint32_t bitmap, uint32_t first,
                       uint32_t second)
{
    uint32_t words[] = {htole32(KUBESVC_NODE_BRANCH), htole32(bitmap), htole32(first),
                        htole32(second)};

    memcpy(arena->bytes + ref * 8, words, sizeof words);
}

static struct snapshot_record find(const struct hand_made *arena, uint64_t hash, char key)
{
    struct snapshot_view view;

    assert_true(snapshot_view_open(&view, arena->bytes, sizeof arena->bytes));
    return snapshot_find_hashed(&view, hash, &key, 1);
}

static void assert_record(struct snapshot_record record, const char *expected)
{
    assert_non_null(record.data);
    assert_int_equal(record.length, strlen(expected));
    assert_memory_equal(record.data, expected, record.length);
}

static void views(void **state)
{
    struct hand_made arena;
    struct snapshot_view view;

    (void)state;
    begin(&arena, FIRST);
    assert_true(snapshot_view_open(&view, arena.bytes, sizeof arena.bytes));
    assert_int_equal(view.root, FIRST);
    assert_int_equal(view.size, sizeof arena.bytes);
    assert_false(snapshot_view_open(&view, arena.bytes, sizeof arena.bytes - 1));
    assert_false(snapshot_view_open(&view, arena.bytes, 8));
    assert_false(snapshot_view_open(&view, arena.bytes, 0));
    begin(&arena, 0);
    assert_false(snapshot_view_open(&view, arena.bytes, sizeof arena.bytes));
    begin(&arena, FIRST);
    arena.bytes[0]++;
    assert_false(snapshot_view_open(&view, arena.bytes, sizeof arena.bytes));
}

static void leaves_and_branches(void **state)
{
    struct hand_made arena;

    (void)state;
    begin(&arena, FIRST);
    put_branch(&arena, FIRST, 1u << 3 | 1u << 31, 40, 20);
    put_leaf(&arena, 40, 3, 'a', "first", 0);
    put_leaf(&arena, 20, 31, 'b', "second", 30);
    put_leaf(&arena, 30, 31, 'c', "", 0);
    assert_record(find(&arena, 3, 'a'), "first");
    assert_record(find(&arena, 31, 'b'), "second");
    assert_record(find(&arena, 31, 'c'), "");
    assert_null(find(&arena, 3, 'b').data);                     /* another key */
    assert_null(find(&arena, 3 | 1u << 5, 'a').data);           /* another hash */
    assert_null(find(&arena, UINT64_C(1) << 63 | 3, 'a').data); /* beyond the 60 bits */
    assert_null(find(&arena, 4, 'a').data);                     /* no child */
}

static void refs_are_checked(void **state)
{
    static const uint32_t bad[] = {0, 1, FIRST - 1, UNITS - 1, UNITS, UNITS + 1, UINT32_MAX};
    struct hand_made arena;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin(&arena, FIRST);
        put_branch(&arena, FIRST, 1u << 3 | 1u << 31, bad[i], 20);
        put_leaf(&arena, 20, 31, 'b', "second", bad[i]);
        assert_null(find(&arena, 3, 'a').data);
        assert_null(find(&arena, 31, 'c').data);
        assert_record(find(&arena, 31, 'b'), "second");
        if (bad[i] != 0) {
            begin(&arena, bad[i]);
            assert_null(find(&arena, 3, 'a').data);
        }
    }
    /* the last unit: a branch whose children would lie behind the end */
    begin(&arena, UNITS - 1);
    put_branch(&arena, UNITS - 2, 0, 0, 0);
    memcpy(arena.bytes + (UNITS - 1) * 8, arena.bytes + (UNITS - 2) * 8, 8);
    arena.bytes[(UNITS - 1) * 8 + 4] = 8; /* the bit of 3 */
    assert_null(find(&arena, 3, 'a').data);
}

static void lengths_are_checked(void **state)
{
    struct hand_made arena;
    uint32_t length;

    (void)state;
    begin(&arena, FIRST);
    put_leaf(&arena, FIRST, 3, 'a', "record", 0);
    /* a record up to the very end, and one byte more */
    length = htole32((UNITS - FIRST) * 8 - (uint32_t)sizeof(struct kubesvc_leaf) - 8);
    memcpy(arena.bytes + FIRST * 8 + offsetof(struct kubesvc_leaf, record_length), &length, 4);
    assert_int_equal(find(&arena, 3, 'a').length, le32toh(length));
    length = htole32(le32toh(length) + 1);
    memcpy(arena.bytes + FIRST * 8 + offsetof(struct kubesvc_leaf, record_length), &length, 4);
    assert_null(find(&arena, 3, 'a').data);
    length = UINT32_MAX;
    memcpy(arena.bytes + FIRST * 8 + offsetof(struct kubesvc_leaf, record_length), &length, 4);
    assert_null(find(&arena, 3, 'a').data);
}

static void loops_end(void **state)
{
    struct hand_made arena;

    (void)state;
    begin(&arena, FIRST);
    put_branch(&arena, FIRST, 1u << 3, FIRST, 0); /* its own child */
    assert_null(find(&arena, UINT64_C(0x0c6318c6318c6318) >> 3 | 3, 'a').data);
    assert_null(find(&arena, 3, 'a').data);
    begin(&arena, FIRST);
    put_leaf(&arena, FIRST, 3, 'b', "record", FIRST); /* its own successor */
    assert_null(find(&arena, 3, 'a').data);
    assert_record(find(&arena, 3, 'b'), "record");
}

static void records_are_checked(void **state)
{
    _Alignas(8) uint8_t bytes[32] = {0};
    const struct snapshot_record record = {bytes, sizeof bytes}, none = {NULL, 0};
    struct kubesvc_span *span = (void *)bytes;
    uint32_t n;

    (void)state;
    assert_ptr_equal(snapshot_bytes(record, 0, 32), bytes);
    assert_ptr_equal(snapshot_bytes(record, 32, 0), bytes + 32);
    assert_null(snapshot_bytes(record, 33, 0));
    assert_null(snapshot_bytes(record, 1, 32));
    assert_null(snapshot_bytes(record, UINT32_MAX, UINT64_MAX));
    assert_null(snapshot_bytes(record, 8, UINT64_MAX - 4));
    assert_null(snapshot_bytes(none, 0, 0));

    *span = (struct kubesvc_span){htole32(8), htole32(24)};
    assert_ptr_equal(snapshot_span(record, span, &n), bytes + 8);
    assert_int_equal(n, 24);
    assert_ptr_equal(snapshot_table(record, span, 16, &n), bytes + 8);
    assert_int_equal(n, 1);
    *span = (struct kubesvc_span){htole32(9), htole32(16)};
    assert_non_null(snapshot_span(record, span, &n));
    assert_null(snapshot_table(record, span, 16, &n)); /* unaligned */
    assert_int_equal(n, 0);
    *span = (struct kubesvc_span){htole32(8), htole32(25)};
    assert_null(snapshot_span(record, span, &n));
    assert_int_equal(n, 0);
}

/* --- Damage --- */

/* The published arena of a small world, in memory of exactly its size. */
static uint8_t *copy_arena(const struct world_options *options, size_t *size)
{
    struct snapshot_writer *writer = world_new(options);
    struct snapshot_view view;
    uint8_t *copy;

    assert_true(snapshot_writer_view(writer, &view));
    view.size = world_used(writer); /* not the room behind it */
    copy = malloc(view.size);
    assert_non_null(copy);
    memcpy(copy, view.base, view.size);
    ((struct kubesvc_snapshot_header *)copy)->size =
        htole32((uint32_t)(view.size / KUBESVC_SNAPSHOT_ALIGN));
    *size = view.size;
    snapshot_writer_free(writer);
    return copy;
}

static const char *const few[] = {"svc1", "hdls1", "to-vip", "vip", "ping", "pong", "www", NULL};
static const struct world_options small = {.pods = KUBESVC_PODS_VERIFIED, .services = few};

static void every_bit_flipped(void **state)
{
    size_t size;
    uint8_t *arena = copy_arena(&small, &size);

    (void)state;
    interrogate(arena, size);
    for (size_t bit = 0; bit < size * 8; bit++) {
        arena[bit / 8] ^= (uint8_t)(1u << bit % 8);
        interrogate(arena, size);
        arena[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(arena);
}

static void every_word_extreme(void **state)
{
    static const uint32_t values[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
    size_t size;
    uint8_t *arena = copy_arena(&small, &size);

    (void)state;
    for (size_t offset = 0; offset < size; offset += sizeof(uint32_t)) {
        uint32_t saved;

        memcpy(&saved, arena + offset, sizeof saved);
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            memcpy(arena + offset, &values[i], sizeof values[i]);
            interrogate(arena, size);
        }
        memcpy(arena + offset, &saved, sizeof saved);
    }
    free(arena);
}

static void cut_short(void **state)
{
    size_t size;
    uint8_t *arena = copy_arena(&small, &size);

    (void)state;
    for (size_t length = 0; length < size; length += 8) {
        uint8_t *part = malloc(length > 0 ? length : 1);
        uint32_t units = htole32((uint32_t)(length / 8));

        assert_non_null(part);
        memcpy(part, arena, length);
        interrogate(part, length); /* the header says more than there is */
        if (length >= sizeof(struct kubesvc_snapshot_header)) {
            memcpy(part + offsetof(struct kubesvc_snapshot_header, size), &units, sizeof units);
            interrogate(part, length);
        }
        free(part);
    }
    free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash),
        cmocka_unit_test(views),
        cmocka_unit_test(leaves_and_branches),
        cmocka_unit_test(refs_are_checked),
        cmocka_unit_test(lengths_are_checked),
        cmocka_unit_test(loops_end),
        cmocka_unit_test(records_are_checked),
        cmocka_unit_test(every_bit_flipped),
        cmocka_unit_test(every_word_extreme),
        cmocka_unit_test(cut_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
