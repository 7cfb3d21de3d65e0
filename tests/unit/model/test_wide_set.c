/*
 * A wide set holds what any set of GLib's holds, whatever its hash is worth.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/model/wide_set.h"

struct item {
    unsigned key, version;
};

static guint key_hash(gconstpointer item)
{
    return ((const struct item *)item)->key;
}

static guint no_hash(gconstpointer item)
{
    (void)item;
    return 7;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return ((const struct item *)a)->key == ((const struct item *)b)->key;
}

static struct item *new_item(unsigned key, unsigned version)
{
    struct item *item = g_new(struct item, 1);
    *item = (struct item){key, version};
    return item;
}

static unsigned count(const struct wide_set *set, uint64_t *sum)
{
    struct wide_set_iter iter;
    const struct item *item;
    unsigned n = 0;
    wide_set_iter_init(&iter, set);
    for (*sum = 0; (item = wide_set_next(&iter)); n++)
        *sum += item->key;
    return n;
}

static void fill_and_empty(GHashFunc hash, unsigned n)
{
    struct wide_set set;
    uint64_t sum;
    wide_set_init(&set, hash, key_equal, g_free);
    assert_null(wide_set_find(&set, &(struct item){.key = 1}));
    wide_set_remove(&set, &(struct item){.key = 1});
    assert_int_equal(count(&set, &sum), 0);
    for (unsigned i = 0; i < n; i++)
        wide_set_add(&set, new_item(i, 1));
    for (unsigned i = 0; i < n; i += 2)
        wide_set_add(&set, new_item(i, 2));
    assert_int_equal(wide_set_size(&set), n);
    assert_int_equal(count(&set, &sum), n);
    assert_int_equal(sum, (uint64_t)n * (n - 1) / 2);
    for (unsigned i = 0; i < n; i++) {
        const struct item *item = wide_set_find(&set, &(struct item){.key = i});
        assert_int_equal(item->version, i % 2 == 0 ? 2 : 1);
    }
    for (unsigned i = 0; i < n; i += 3)
        wide_set_remove(&set, &(struct item){.key = i});
    assert_int_equal(wide_set_size(&set), n - (n + 2) / 3);
    assert_int_equal(count(&set, &sum), n - (n + 2) / 3);
    wide_set_clear(&set);
    assert_int_equal(wide_set_size(&set), 0);
    wide_set_add(&set, new_item(5, 3));
    assert_int_equal(count(&set, &sum), 1);
    wide_set_clear(&set);
}

static void it_holds_what_was_added(void **state)
{
    (void)state;
    fill_and_empty(key_hash, 20000);
}

static void what_an_iterator_passes_may_be_removed(void **state)
{
    (void)state;
    struct wide_set set;
    struct wide_set_iter iter;
    const struct item *item;
    uint64_t sum;
    wide_set_init(&set, key_hash, key_equal, g_free);
    for (unsigned i = 0; i < 1000; i++)
        wide_set_add(&set, new_item(i, 1));
    wide_set_iter_init(&iter, &set);
    while ((item = wide_set_next(&iter)))
        if (item->key % 10 != 0)
            wide_set_iter_remove(&iter);
    assert_int_equal(wide_set_size(&set), 100);
    assert_int_equal(count(&set, &sum), 100);
    assert_int_equal(sum, 49500);
    wide_set_clear(&set);
}

static void a_worthless_hash_makes_it_slow_not_wrong(void **state)
{
    (void)state;
    fill_and_empty(no_hash, 300);
}

/* No part may hold much more than its share: addresses of memory are such hashes. */
static void parts_are_of_one_size(void **state)
{
    (void)state;
    struct wide_set set;
    wide_set_init(&set, g_direct_hash, g_direct_equal, NULL);
    for (uintptr_t i = 0; i < 32000; i++)
        wide_set_add(&set, (gpointer)((uintptr_t)0x555500000000u + i * 48));
    for (unsigned i = 0; i < WIDE_SET_PARTS; i++)
        assert_in_range(g_hash_table_size(set.parts[i]), 700, 1300);
    wide_set_clear(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_what_was_added),
        cmocka_unit_test(what_an_iterator_passes_may_be_removed),
        cmocka_unit_test(a_worthless_hash_makes_it_slow_not_wrong),
        cmocka_unit_test(parts_are_of_one_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
