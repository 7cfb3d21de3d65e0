/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Leases (rule 105): the same key keeps its address; what is freed is reused last, oldest first;
 * what an object states is never leased.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/model/leases.h"

struct record {
    unsigned events[3];
    struct address stated;
    bool has_stated;
};

static void changed(void *userdata, enum lease_event event, const struct lease *lease)
{
    struct record *record = userdata;
    assert_non_null(lease);
    record->events[event]++;
}

static bool stated(void *userdata, const struct address *address)
{
    const struct record *record = userdata;
    return record->has_stated && address_compare(&record->stated, address) == 0;
}

static struct leases *with_range(struct record *record, const char *text)
{
    *record = (struct record){0};
    struct leases *leases = leases_new(
        &(struct leases_callbacks){.changed = changed, .stated = stated, .userdata = record});
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    struct address_range range;
    assert_true(address_range_parse(&range, text));
    g_array_append_val(ranges, range);
    leases_set_ranges(leases, LEASE_POD, ranges);
    return leases;
}

static void assert_takes(struct leases *leases, const char *key, const char *expected)
{
    struct address address;
    char text[ADDRESS_TEXT_MAX];
    assert_true(leases_take(leases, LEASE_POD, strchr(expected, ':') ? 6 : 4, key, &address));
    address_format(&address, text);
    assert_string_equal(text, expected);
}

static void assert_refused(struct leases *leases, const char *key)
{
    struct address address;
    assert_false(leases_take(leases, LEASE_POD, 4, key, &address));
}

static void keys_keep_their_addresses(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_range(&record, "127.244.0.0/16");
    assert_takes(leases, "b", "127.244.0.1");
    assert_takes(leases, "a", "127.244.0.2");
    assert_takes(leases, "b", "127.244.0.1");
    leases_release(leases, LEASE_POD, 4, "b");
    assert_takes(leases, "c", "127.244.0.3");
    assert_takes(leases, "b", "127.244.0.1");
    assert_int_equal(record.events[LEASE_TAKEN], 4);
    assert_int_equal(record.events[LEASE_FREED], 1);
    assert_int_equal(record.events[LEASE_DROPPED], 0);
    leases_free(leases);
}

static void freed_ones_are_reused_last_and_oldest_first(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_range(&record, "10.0.0.0/29"); /* .1 to .6 */
    const char *keys[] = {"k1", "k2", "k3", "k4", "k5", "k6"};
    for (unsigned i = 0; i < 4; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "10.0.0.%u", i + 1);
        assert_takes(leases, keys[i], expected);
    }
    leases_release(leases, LEASE_POD, 4, "k3");
    leases_release(leases, LEASE_POD, 4, "k1");
    assert_takes(leases, "k5", "10.0.0.5");
    assert_takes(leases, "k6", "10.0.0.6");
    assert_takes(leases, "new1", "10.0.0.3");
    assert_takes(leases, "new2", "10.0.0.1");
    assert_refused(leases, "new3");
    assert_refused(leases, "k1");
    assert_int_equal(leases_exhausted(leases, LEASE_POD), 2);
    g_autoptr(GPtrArray) none = leases_take_waiters(leases);
    assert_int_equal(none->len, 0);
    leases_release(leases, LEASE_POD, 4, "k2");
    g_autoptr(GPtrArray) keys_again = leases_take_waiters(leases);
    assert_int_equal(keys_again->len, 2);
    assert_takes(leases, "k1", "10.0.0.2");
    leases_free(leases);
}

static void stated_addresses_are_never_leased(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_range(&record, "10.0.0.0/30"); /* .1 and .2 */
    assert_takes(leases, "a", "10.0.0.1");
    assert_true(address_parse(&record.stated, "10.0.0.1", 8));
    record.has_stated = true;
    g_autofree char *holder = leases_evict(leases, &record.stated);
    assert_string_equal(holder, "a");
    assert_takes(leases, "a", "10.0.0.2");
    assert_refused(leases, "b");
    record.has_stated = false;
    leases_note_freed(leases, &record.stated);
    assert_takes(leases, "b", "10.0.0.1");
    leases_free(leases);
}

static void both_families_side_by_side(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_range(&record, "fd00:244::/64");
    assert_int_equal(leases_first_family(leases, LEASE_POD), 6);
    assert_refused(leases, "a");
    assert_int_equal(leases_exhausted(leases, LEASE_POD), 0);
    assert_takes(leases, "a", "fd00:244::1");
    leases_free(leases);
}

static void what_was_kept_comes_back(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_range(&record, "10.0.0.0/24");
    struct address one, two, nine;
    assert_true(address_parse(&one, "10.0.0.1", 8) && address_parse(&two, "10.0.0.2", 8) &&
                address_parse(&nine, "9.9.9.9", 7));
    leases_restore(leases, LEASE_TAKEN, LEASE_POD, &two, "b");
    leases_restore(leases, LEASE_TAKEN, LEASE_POD, &one, "gone");
    leases_restore(leases, LEASE_TAKEN, LEASE_POD, &nine, "moved");
    assert_takes(leases, "b", "10.0.0.2");
    assert_takes(leases, "moved", "10.0.0.3");
    assert_takes(leases, "new", "10.0.0.4");
    assert_int_equal(record.events[LEASE_FREED], 1); /* "moved", where it was */
    leases_release_unclaimed(leases);
    assert_int_equal(record.events[LEASE_FREED], 2);
    assert_takes(leases, "gone", "10.0.0.1");
    leases_free(leases);
}

static void later_lines_win(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_range(&record, "10.0.0.0/24");
    struct address one;
    assert_true(address_parse(&one, "10.0.0.1", 8));
    leases_restore(leases, LEASE_TAKEN, LEASE_POD, &one, "first");
    leases_restore(leases, LEASE_TAKEN, LEASE_POD, &one, "second");
    assert_takes(leases, "second", "10.0.0.1");
    assert_takes(leases, "first", "10.0.0.2");
    leases_restore(leases, LEASE_DROPPED, LEASE_POD, &one, "second");
    assert_takes(leases, "second", "10.0.0.3");
    leases_free(leases);
}

static void set_range(struct leases *leases, const char *text)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    struct address_range range;
    assert_true(address_range_parse(&range, text));
    g_array_append_val(ranges, range);
    leases_set_ranges(leases, LEASE_POD, ranges);
}

/* A range that is taken out of the configuration and put back finds its leases again. */
static void leases_of_another_range_are_remembered(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_range(&record, "10.0.0.0/29");
    assert_takes(leases, "a", "10.0.0.1");
    assert_takes(leases, "b", "10.0.0.2");
    set_range(leases, "10.1.0.0/30"); /* .1 and .2 */
    assert_takes(leases, "b", "10.1.0.1");
    assert_takes(leases, "a", "10.1.0.2");
    assert_takes(leases, "b", "10.1.0.1");
    assert_refused(leases, "c"); /* what is remembered is of no use to it */
    leases_release(leases, LEASE_POD, 4, "a");
    assert_takes(leases, "c", "10.1.0.2");
    set_range(leases, "10.0.0.0/29");
    assert_takes(leases, "c", "10.0.0.3");
    assert_takes(leases, "b", "10.0.0.2");
    assert_takes(leases, "a", "10.0.0.1");
    set_range(leases, "10.1.0.0/30");
    assert_takes(leases, "c", "10.1.0.2");
    assert_takes(leases, "b", "10.1.0.1");
    leases_free(leases);
}

/* An address that an object states in the meantime is not remembered. */
static void a_stated_address_is_not_remembered(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_range(&record, "10.0.0.0/29");
    assert_takes(leases, "a", "10.0.0.1");
    set_range(leases, "10.1.0.0/29");
    assert_takes(leases, "a", "10.1.0.1");
    assert_true(address_parse(&record.stated, "10.0.0.1", 8));
    record.has_stated = true;
    assert_true(leases_hold(leases, &record.stated));
    assert_null(leases_evict(leases, &record.stated));
    set_range(leases, "10.0.0.0/29");
    assert_takes(leases, "a", "10.0.0.2");
    leases_free(leases);
}

static void append_lease(void *userdata, const struct lease *lease)
{
    g_autofree char *line = g_strdup_printf("%s%s ", lease->freed ? "-" : "+", lease->key);
    g_string_append(userdata, line);
}

/* All of a key's leases come back from the journal, in the order in which they are written. */
static void all_leases_of_a_key_are_restored(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_range(&record, "10.0.0.0/29");
    struct address one, two;
    assert_true(address_parse(&one, "10.0.0.1", 8) && address_parse(&two, "10.1.0.1", 8));
    leases_restore(leases, LEASE_TAKEN, LEASE_POD, &one, "a");
    leases_restore(leases, LEASE_FREED, LEASE_POD, &one, "a");
    leases_restore(leases, LEASE_TAKEN, LEASE_POD, &two, "a");
    g_autoptr(GString) text = g_string_new(NULL);
    leases_each(leases, append_lease, text);
    assert_string_equal(text->str, "-a +a ");
    assert_takes(leases, "a", "10.0.0.1");
    set_range(leases, "10.1.0.0/29");
    assert_takes(leases, "a", "10.1.0.1");
    leases_free(leases);
}

/* Where addresses never run out, what is remembered must. */
static void the_oldest_are_forgotten(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_range(&record, "fd00::/64");
    struct address address;
    for (unsigned i = 0; i < LEASES_REMEMBERED_MAX + 10; i++) {
        char key[32];
        snprintf(key, sizeof key, "k%u", i);
        assert_true(leases_take(leases, LEASE_POD, 6, key, &address));
        leases_release(leases, LEASE_POD, 6, key);
        leases_take(leases, LEASE_POD, 6, key, &address); /* and once more */
        leases_release(leases, LEASE_POD, 6, key);
    }
    assert_int_equal(leases_size(leases), LEASES_REMEMBERED_MAX);
    assert_int_equal(record.events[LEASE_DROPPED], 10);
    assert_takes(leases, "k10", "fd00::b");
    assert_true(leases_take(leases, LEASE_POD, 6, "k9", &address));
    assert_int_not_equal(address.bytes[15], 10);
    leases_free(leases);
}

/* What is taken and freed again and again leaves nothing behind. */
static void memory_follows_what_is_there(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_range(&record, "10.0.0.0/24");
    assert_takes(leases, "a", "10.0.0.1");
    leases_release(leases, LEASE_POD, 4, "a");
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < 10000; i++) {
        assert_takes(leases, "a", "10.0.0.1");
        leases_release(leases, LEASE_POD, 4, "a");
    }
    assert_true(mallinfo2().uordblks < before + 10000);
    leases_free(leases);
}

static struct leases *with_both_families(struct record *record)
{
    struct leases *leases = with_range(record, "10.0.0.0/30"); /* .1 and .2 */
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    struct address_range range;
    assert_true(address_range_parse(&range, "10.0.0.0/30"));
    g_array_append_val(ranges, range);
    assert_true(address_range_parse(&range, "fd00::/112"));
    g_array_append_val(ranges, range);
    leases_set_ranges(leases, LEASE_POD, ranges);
    assert_takes(leases, "a", "10.0.0.1");
    assert_takes(leases, "b", "10.0.0.2");
    return leases;
}

/* A key refused in one family waits for it, whatever it has or releases in the other. */
static void families_wait_by_themselves(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_both_families(&record);
    assert_refused(leases, "c");
    assert_takes(leases, "c", "fd00::1");
    leases_release(leases, LEASE_POD, 4, "a");
    g_autoptr(GPtrArray) keys = leases_take_waiters(leases);
    assert_int_equal(keys->len, 1);
    leases_free(leases);
}

static void giving_up_one_family_ends_no_waiting(void **state)
{
    (void)state;
    struct record record;
    struct leases *leases = with_both_families(&record);
    assert_takes(leases, "c", "fd00::1");
    assert_refused(leases, "c");
    leases_release(leases, LEASE_POD, 6, "c");
    leases_release(leases, LEASE_POD, 4, "a");
    g_autoptr(GPtrArray) keys = leases_take_waiters(leases);
    assert_int_equal(keys->len, 1);
    leases_free(leases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_keep_their_addresses),
        cmocka_unit_test(freed_ones_are_reused_last_and_oldest_first),
        cmocka_unit_test(stated_addresses_are_never_leased),
        cmocka_unit_test(both_families_side_by_side),
        cmocka_unit_test(what_was_kept_comes_back),
        cmocka_unit_test(later_lines_win),
        cmocka_unit_test(leases_of_another_range_are_remembered),
        cmocka_unit_test(a_stated_address_is_not_remembered),
        cmocka_unit_test(all_leases_of_a_key_are_restored),
        cmocka_unit_test(the_oldest_are_forgotten),
        cmocka_unit_test(memory_follows_what_is_there),
        cmocka_unit_test(families_wait_by_themselves),
        cmocka_unit_test(giving_up_one_family_ends_no_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
