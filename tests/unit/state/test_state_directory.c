/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LDFLAGS: -Wl,--wrap=fdatasync */
/*
 * When the disk has the leases. (The journal itself is tested in test_lease_journal.c.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "daemon/state/state_directory.h"

static unsigned n_synced;
static struct state_directory *state;

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    (void)fd;
    n_synced++;
    return 0;
}

static void changed(void *userdata, enum lease_event event, const struct lease *lease)
{
    (void)userdata;
    state_directory_note(state, event, lease);
}

static bool nothing_is_stated(void *userdata, const struct address *address)
{
    (void)userdata, (void)address;
    return false;
}

static struct leases *leases_of_a_range(void)
{
    struct leases *leases =
        leases_new(&(struct leases_callbacks){.changed = changed, .stated = nothing_is_stated});
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct address_range));
    struct address_range range;

    assert_true(address_range_parse(&range, "10.0.0.0/12"));
    g_array_append_val(ranges, range);
    leases_set_ranges(leases, LEASE_POD, ranges);
    return leases;
}

static void remove_directory(const char *directory)
{
    static const char *const names[] = {"leases", "lock", "starting"};

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(directory, names[i], NULL);
        assert_int_equal(g_remove(path), 0);
    }
    assert_int_equal(g_rmdir(directory), 0);
}

static void the_disk_is_waited_for_at_the_end(void **unused)
{
    struct leases *leases = leases_of_a_range();
    sd_event *event = NULL;
    struct address address;
    g_autofree char *directory = g_dir_make_tmp("state-XXXXXX", NULL);

    (void)unused;
    assert_true(sd_event_new(&event) >= 0);
    assert_int_equal(state_directory_open(&state, event, directory, leases), 0);
    assert_true(leases_take(leases, LEASE_POD, 4, "moon/Pod/a", &address));
    state_directory_write(state);
    assert_int_equal(n_synced, 0); /* names do not wait for it */
    state = state_directory_close(state);
    assert_int_equal(n_synced, 1);
    leases_free(leases);
    sd_event_unref(event);
    remove_directory(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_disk_is_waited_for_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
