/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hosts file and nsswitch.conf of a pod.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "cli/pod_files.h"

#define LINE "hosts: files kubesvc [NOTFOUND=return] dns\n"

static void nsswitch(void **state)
{
    static const char *const cases[][2] = {
        {"", LINE},
        {"passwd: files", "passwd: files\n" LINE},
        {"passwd: files\n", "passwd: files\n" LINE},
        {"a: b\nhosts:  files dns # x\nc: d\n", "a: b\n" LINE "c: d\n"},
        {"#hosts: files\n", "#hosts: files\n" LINE},
        /* the last line is the one that glibc goes by */
        {"hosts: dns\nhosts: files\n", "hosts: dns\n" LINE},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = pod_files_nsswitch(cases[i][0]);
        assert_string_equal(got, cases[i][1]);
    }
}

static void hosts(void **state)
{
    struct pod_identity identity = {.hostname = "db-0",
                                    .ns = "moon",
                                    .zone = "cluster.local",
                                    .addresses = "127.244.0.1,fd00::1"};
    g_autofree char *plain = pod_files_hosts(&identity, ""), *full = NULL;
    (void)state;
    assert_non_null(strstr(plain, "\n127.0.0.1\tlocalhost\n"));
    assert_true(g_str_has_suffix(plain, "\n127.244.0.1\tdb-0\nfd00::1\tdb-0\n"));
    identity.subdomain = "db";
    full = pod_files_hosts(&identity, "192.0.2.1\ta\tb\n");
    assert_true(g_str_has_suffix(full, "\n127.244.0.1\tdb-0.db.moon.svc.cluster.local\tdb-0\n"
                                       "fd00::1\tdb-0.db.moon.svc.cluster.local\tdb-0\n"
                                       "\n# Entries added by HostAliases.\n192.0.2.1\ta\tb\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nsswitch), cmocka_unit_test(hosts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
