/*
 * The journal of leases: what was written comes back, wherever the last write was cut off; no
 * address is ever held by two; damaged lines cost only themselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "../../daemon/state/lease_journal.h"

struct store {
    struct leases *leases;
    struct lease_journal *journal;
};

static void changed(void *userdata, enum lease_event event, const struct lease *lease)
{
    const struct store *store = userdata;
    if (store->journal)
        lease_journal_note(store->journal, event, lease);
}

static bool nobody_states(void *userdata, const struct address *address)
{
    (void)userdata, (void)address;
    return false;
}

static void store_open(struct store *store, const char *directory)
{
    *store = (struct store){0};
    store->leases = leases_new(
        &(struct leases_callbacks){.changed = changed, .stated = nobody_states, .userdata = store});
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    struct address_range range;
    assert_true(address_range_parse(&range, "10.0.0.0/16"));
    g_array_append_val(ranges, range);
    leases_set_ranges(store->leases, LEASE_POD, ranges);
    assert_int_equal(lease_journal_open(&store->journal, directory, store->leases), 0);
}

static void store_close(struct store *store)
{
    store->journal = lease_journal_close(store->journal);
    store->leases = leases_free(store->leases);
}

static void take(struct store *store, const char *key, char text[ADDRESS_TEXT_MAX])
{
    struct address address;
    assert_true(leases_take(store->leases, LEASE_POD, 4, key, &address));
    address_format(&address, text);
}

static void assert_takes(struct store *store, const char *key, const char *expected)
{
    char text[ADDRESS_TEXT_MAX];
    take(store, key, text);
    assert_string_equal(text, expected);
}

static int make_directory(void **state)
{
    char *directory = g_strdup("/tmp/kubesvc-journal-XXXXXX");
    *state = directory;
    return g_mkdtemp(directory) ? 0 : -1;
}

static int remove_directory_only(const char *directory)
{
    static const char *const files[] = {"leases", "leases.new", "lock"};
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(directory, files[i], NULL);
        (void)g_unlink(path);
    }
    return g_rmdir(directory);
}

static int remove_directory(void **state)
{
    int r = remove_directory_only(*state);
    g_free(*state);
    return r;
}

static void what_was_written_comes_back(void **state)
{
    struct store store;
    store_open(&store, *state);
    assert_takes(&store, "ns/Pod/a", "10.0.0.1");
    assert_takes(&store, "ns/Pod/b", "10.0.0.2");
    leases_release(store.leases, LEASE_POD, 4, "ns/Pod/a");
    lease_journal_write(store.journal, store.leases);
    assert_takes(&store, "ns/Pod/lost", "10.0.0.3"); /* never written, never published */
    store_close(&store);
    store_open(&store, *state);
    assert_takes(&store, "ns/Pod/new", "10.0.0.3");
    assert_takes(&store, "ns/Pod/b", "10.0.0.2");
    assert_takes(&store, "ns/Pod/a", "10.0.0.1");
    store_close(&store);
}

static void two_daemons_do_not_share_it(void **state)
{
    struct store store;
    store_open(&store, *state);
    struct lease_journal *second = NULL;
    assert_int_equal(lease_journal_open(&second, *state, store.leases), -EBUSY);
    assert_null(second);
    store_close(&store);
    store_open(&store, *state);
    store_close(&store);
}

/* Whatever the place at which the file ends, whole lines before it hold, and two keys never have
 * one address. */
static void a_cut_anywhere_loses_no_whole_line(void **state)
{
    struct store store;
    store_open(&store, *state);
    char texts[4][ADDRESS_TEXT_MAX];
    static const char *const keys[] = {"ns/Pod/a", "ns/Pod/b", "ns/Pod/c", "ns/Pod/d"};
    for (unsigned i = 0; i < 4; i++)
        take(&store, keys[i], texts[i]);
    lease_journal_write(store.journal, store.leases);
    store_close(&store);
    g_autofree char *path = g_build_filename(*state, "leases", NULL);
    g_autofree char *whole = NULL;
    gsize size;
    assert_true(g_file_get_contents(path, &whole, &size, NULL));
    for (gsize cut = 0; cut < size; cut++) {
        assert_true(g_file_set_contents(path, whole, (gssize)cut, NULL));
        unsigned lines = 0;
        for (gsize i = 0; i < cut; i++)
            lines += whole[i] == '\n';
        store_open(&store, *state);
        for (unsigned i = 0; i + 1 < lines; i++)
            assert_takes(&store, keys[i], texts[i]);
        g_autoptr(GHashTable) held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (unsigned i = 4; i-- > 0;) {
            char text[ADDRESS_TEXT_MAX];
            take(&store, keys[i], text);
            assert_true(g_hash_table_add(held, g_strdup(text)));
        }
        lease_journal_write(store.journal, store.leases);
        char after[4][ADDRESS_TEXT_MAX];
        for (unsigned i = 0; i < 4; i++)
            take(&store, keys[i], after[i]);
        store_close(&store);
        store_open(&store, *state);
        for (unsigned i = 0; i < 4; i++)
            assert_takes(&store, keys[i], after[i]);
        store_close(&store);
    }
}

static void a_damaged_line_costs_only_itself(void **state)
{
    struct store store;
    store_open(&store, *state);
    char text[ADDRESS_TEXT_MAX];
    take(&store, "ns/Pod/a", text);
    take(&store, "ns/Pod/b", text);
    take(&store, "ns/Pod/c", text);
    lease_journal_write(store.journal, store.leases);
    store_close(&store);
    g_autofree char *path = g_build_filename(*state, "leases", NULL);
    g_autofree char *whole = NULL;
    gsize size;
    assert_true(g_file_get_contents(path, &whole, &size, NULL));
    strstr(whole, "10.0.0.2")[7] = '1'; /* now two lines say 10.0.0.1 */
    assert_true(g_file_set_contents(path, whole, (gssize)size, NULL));
    store_open(&store, *state);
    assert_takes(&store, "ns/Pod/a", "10.0.0.1");
    assert_takes(&store, "ns/Pod/c", "10.0.0.3");
    assert_takes(&store, "ns/Pod/b", "10.0.0.2");
    store_close(&store);
}

static void it_is_made_again_when_it_was_removed(void **state)
{
    struct store store;
    store_open(&store, *state);
    assert_takes(&store, "ns/Pod/a", "10.0.0.1");
    lease_journal_write(store.journal, store.leases);
    assert_int_equal(remove_directory_only(*state), 0);
    assert_takes(&store, "ns/Pod/b", "10.0.0.2");
    lease_journal_write(store.journal, store.leases);
    store_close(&store);
    store_open(&store, *state);
    assert_takes(&store, "ns/Pod/new", "10.0.0.3");
    assert_takes(&store, "ns/Pod/b", "10.0.0.2");
    assert_takes(&store, "ns/Pod/a", "10.0.0.1");
    store_close(&store);
}

static void it_does_not_grow_for_ever(void **state)
{
    struct store store;
    store_open(&store, *state);
    g_autofree char *path = g_build_filename(*state, "leases", NULL);
    goffset largest = 0;
    for (unsigned i = 0; i < 20000; i++) {
        char text[ADDRESS_TEXT_MAX];
        take(&store, "ns/Pod/a", text);
        leases_release(store.leases, LEASE_POD, 4, "ns/Pod/a");
        lease_journal_write(store.journal, store.leases);
        GStatBuf st;
        assert_int_equal(g_stat(path, &st), 0);
        largest = MAX(largest, st.st_size);
    }
    assert_in_range(largest, 100000, 400000);
    store_close(&store);
    store_open(&store, *state);
    assert_takes(&store, "ns/Pod/b", "10.0.0.2");
    assert_takes(&store, "ns/Pod/a", "10.0.0.1");
    store_close(&store);
}

#define journal_test(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        journal_test(what_was_written_comes_back),
        journal_test(two_daemons_do_not_share_it),
        journal_test(a_cut_anywhere_loses_no_whole_line),
        journal_test(a_damaged_line_costs_only_itself),
        journal_test(it_is_made_again_when_it_was_removed),
        journal_test(it_does_not_grow_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
