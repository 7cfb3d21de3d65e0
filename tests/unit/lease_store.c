/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Leases and their journal as the daemon has them, without the daemon.
 */
#include "lease_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <glib/gstdio.h>

static void changed(void *userdata, enum lease_event event, const struct lease *lease)
{
    const struct lease_store *store = userdata;
    if (store->journal)
        lease_journal_note(store->journal, event, lease);
}

static bool nobody_states(void *userdata, const struct address *address)
{
    (void)userdata, (void)address;
    return false;
}

void lease_store_open(struct lease_store *store, const char *directory)
{
    *store = (struct lease_store){0};
    store->leases = leases_new(
        &(struct leases_callbacks){.changed = changed, .stated = nobody_states, .userdata = store});
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    struct address_range range;
    assert_true(address_range_parse(&range, "10.0.0.0/12"));
    g_array_append_val(ranges, range);
    leases_set_ranges(store->leases, LEASE_POD, ranges);
    if (directory)
        assert_int_equal(lease_journal_open(&store->journal, directory, store->leases), 0);
}

void lease_store_close(struct lease_store *store)
{
    store->journal = lease_journal_close(store->journal);
    store->leases = leases_free(store->leases);
}

void lease_store_take(struct lease_store *store, const char *key, char text[ADDRESS_TEXT_MAX])
{
    struct address address;
    assert_true(leases_take(store->leases, LEASE_POD, 4, key, &address));
    address_format(&address, text);
}

void lease_store_release(struct lease_store *store, const char *key)
{
    leases_release(store->leases, LEASE_POD, 4, key);
}

void lease_store_write(struct lease_store *store)
{
    lease_journal_write(store->journal, store->leases);
}

void lease_store_sync(struct lease_store *store)
{
    lease_journal_sync(store->journal, store->leases);
}

static void dump_lease(void *userdata, const struct lease *lease)
{
    char text[ADDRESS_TEXT_MAX];
    address_format(&lease->address, text);
    g_string_append_printf(userdata, "%s %s %s\n", lease->key, text, lease->freed ? "freed" : "");
}

char *lease_store_dump(const struct lease_store *store)
{
    GString *text = g_string_new(NULL);
    leases_each(store->leases, dump_lease, text);
    return g_string_free(text, FALSE);
}

char *lease_store_dump_directory(const char *directory)
{
    g_autofree char *copy = g_strdup("/tmp/kubesvc-journal-XXXXXX");
    assert_non_null(g_mkdtemp(copy));
    g_autofree char *from = g_build_filename(directory, "leases", NULL);
    g_autofree char *to = g_build_filename(copy, "leases", NULL);
    g_autofree char *text = NULL;
    gsize size;
    assert_true(g_file_get_contents(from, &text, &size, NULL));
    assert_true(g_file_set_contents(to, text, (gssize)size, NULL));
    struct lease_store store;
    lease_store_open(&store, copy);
    char *dump = lease_store_dump(&store);
    lease_store_close(&store);
    assert_int_equal(lease_store_remove(copy), 0);
    return dump;
}

int lease_store_remove(const char *directory)
{
    static const char *const files[] = {"leases", "leases.new", "leases.damaged",
                                        "leases.version-2", "lock"};
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(directory, files[i], NULL);
        (void)g_remove(path);
    }
    return g_rmdir(directory);
}

int lease_store_make_directory(void **state)
{
    char *directory = g_strdup("/tmp/kubesvc-journal-XXXXXX");
    *state = directory;
    return g_mkdtemp(directory) ? 0 : -1;
}

int lease_store_remove_directory(void **state)
{
    int r = lease_store_remove(*state);
    g_free(*state);
    return r;
}
