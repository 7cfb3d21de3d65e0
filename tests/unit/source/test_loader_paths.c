/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader and the ways that lead to its files: directories that come, go and are replaced, links
 * of both kinds, projected volumes, mounts, permissions.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/loading.h"
#include "tests/unit/skip_test.h"

static int set_up(void **state)
{
    *state = loading_new();
    return 0;
}

static int tear_down(void **state)
{
    struct loading *loading = *state;

    if (loading->process != getpid())
        _exit(1); /* a child whose test has failed */
    assert_int_equal(loading->unordered, 0);
    assert_true(loading->n_first <= 1);
    loading_free(loading);
    return 0;
}

static void make_link(const char *target, const char *path)
{
    g_autofree char *temporary = g_strconcat(path, "_tmp", NULL);

    assert_int_equal(symlink(target, temporary), 0);
    assert_int_equal(rename(temporary, path), 0);
}

static void test_appears(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "x/y/m");
    loading_start(loading);
    make_directory(at(loading, "x"));
    loading_rest(loading);
    make_directory(at(loading, "x/y"));
    make_directory(at(loading, "x/y/m"));
    write_file(at(loading, "x/y/m/a.yaml"), "a");
    loading_until(loading, loading_says(loading, "x/y/m/a.yaml", "a"));
    write_file(at(loading, "x/y/m/b.yaml"), "b");
    loading_until(loading, loading_says(loading, "x/y/m/b.yaml", "b"));
}

static void test_made_again(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "x/m");
    make_directory(at(loading, "x"));
    make_directory(at(loading, "x/m"));
    write_file(at(loading, "x/m/a.yaml"), "a");
    loading_start(loading);
    for (unsigned i = 0; i < 3; i++) {
        remove_tree(at(loading, "x"));
        loading_until(loading, !loading_of(loading, "x/m/a.yaml"));
        make_directory(at(loading, "x"));
        make_directory(at(loading, "x/m"));
        put_file(at(loading, "x/m/a.yaml"), "a");
        loading_until(loading, loading_says(loading, "x/m/a.yaml", "a"));
    }
    /* faster than it can be seen */
    remove_tree(at(loading, "x"));
    make_directory(at(loading, "x"));
    make_directory(at(loading, "x/m"));
    write_file(at(loading, "x/m/a.yaml"), "b");
    loading_until(loading, loading_says(loading, "x/m/a.yaml", "b"));
}

/* A working directory or an open descriptor keeps the old inode, and inotify silent about it. */
static void test_deleted_but_open(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m");
    make_directory(at(loading, "m"));
    write_file(at(loading, "m/a.yaml"), "a");
    loading_start(loading);
    int fd = open(at(loading, "m"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    remove_tree(at(loading, "m"));
    make_directory(at(loading, "m"));
    loading_until(loading, !loading_of(loading, "m/a.yaml"));
    write_file(at(loading, "m/b.yaml"), "b");
    loading_until(loading, loading_says(loading, "m/b.yaml", "b"));
    close(fd);
}

static void test_replaced(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "x/m");
    make_directory(at(loading, "x"));
    make_directory(at(loading, "x/m"));
    make_directory(at(loading, "y"));
    make_directory(at(loading, "y/m"));
    write_file(at(loading, "x/m/a.yaml"), "old");
    write_file(at(loading, "x/m/b.yaml"), "old");
    write_file(at(loading, "y/m/a.yaml"), "new");
    write_file(at(loading, "y/m/c.yaml"), "new");
    loading_start(loading);
    unsigned settled = loading->n_settled;
    assert_int_equal(
        renameat2(AT_FDCWD, at(loading, "x"), AT_FDCWD, at(loading, "y"), RENAME_EXCHANGE), 0);
    loading_until(loading, loading_says(loading, "x/m/c.yaml", "new"));
    assert_string_equal(loading_all(loading), "0 x/m/a.yaml: new\n0 x/m/c.yaml: new\n");
    assert_int_equal(loading->n_settled, settled + 1);
    write_file(at(loading, "x/m/a.yaml"), "newer");
    loading_until(loading, loading_says(loading, "x/m/a.yaml", "newer"));
    write_file(at(loading, "y/m/a.yaml"), "no");
    loading_rest(loading);
    assert_true(loading_says(loading, "x/m/a.yaml", "newer"));
}

static void test_linked_directory(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m");
    make_directory(at(loading, "one"));
    make_directory(at(loading, "two"));
    write_file(at(loading, "one/a.yaml"), "one");
    write_file(at(loading, "two/a.yaml"), "two");
    make_link("one", at(loading, "link"));
    make_link("link", at(loading, "m"));
    loading_start(loading);
    assert_true(loading_says(loading, "m/a.yaml", "one"));
    make_link("two", at(loading, "link"));
    loading_until(loading, loading_says(loading, "m/a.yaml", "two"));
    make_link("./../", at(loading, "two/up"));
    make_link("two/up/one/", at(loading, "m"));
    loading_until(loading, loading_says(loading, "m/a.yaml", "one"));
    put_file(at(loading, "one/a.yaml"), "three");
    loading_until(loading, loading_says(loading, "m/a.yaml", "three"));
    unlink(at(loading, "m"));
    loading_until(loading, !loading_of(loading, "m/a.yaml"));
    make_link("nowhere", at(loading, "m"));
    loading_rest(loading);
    rename(at(loading, "one"), at(loading, "nowhere"));
    loading_until(loading, loading_says(loading, "m/a.yaml", "three"));
}

static void test_recursive(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m")->recursive = true;
    make_directory(at(loading, "m"));
    make_directory(at(loading, "m/x"));
    make_directory(at(loading, "m/.git"));
    make_directory(at(loading, "m/x/y.yaml"));
    write_file(at(loading, "m/x/a.yaml"), "a");
    write_file(at(loading, "m/x/y.yaml/b.yaml"), "b");
    write_file(at(loading, "m/.git/no.yaml"), "no");
    loading_start(loading);
    assert_string_equal(loading_all(loading), "0 m/x/a.yaml: a\n0 m/x/y.yaml/b.yaml: b\n");
    make_directory(at(loading, "m/z"));
    make_directory(at(loading, "m/z/z"));
    write_file(at(loading, "m/z/z/c.yaml"), "c");
    loading_until(loading, loading_says(loading, "m/z/z/c.yaml", "c"));
    rename(at(loading, "m/z"), at(loading, "m/x/w"));
    loading_until(loading, loading_says(loading, "m/x/w/z/c.yaml", "c"));
    assert_null(loading_of(loading, "m/z/z/c.yaml"));
    write_file(at(loading, "m/x/w/z/c.yaml"), "d");
    loading_until(loading, loading_says(loading, "m/x/w/z/c.yaml", "d"));
    rename(at(loading, "m/x"), at(loading, "out"));
    loading_until(loading, g_hash_table_size(loading->told) == 0);
    write_file(at(loading, "m/x"), "file");
    rename(at(loading, "m/x"), at(loading, "m/x.yaml"));
    loading_until(loading, loading_says(loading, "m/x.yaml", "file"));
    unlink(at(loading, "m/x.yaml"));
    rename(at(loading, "out"), at(loading, "m/x.yaml")); /* a file's name is a directory's now */
    loading_until(loading, loading_says(loading, "m/x.yaml/w/z/c.yaml", "d"));
    make_directory(at(loading, "elsewhere"));
    write_file(at(loading, "elsewhere/e.yaml"), "e");
    make_link("../elsewhere", at(loading, "m/link"));
    loading_until(loading, loading_says(loading, "m/link/e.yaml", "e"));
    write_file(at(loading, "elsewhere/f.yaml"), "f");
    loading_until(loading, loading_says(loading, "m/link/f.yaml", "f"));
    unlink(at(loading, "m/link"));
    loading_until(loading, !loading_of(loading, "m/link/f.yaml"));
}

static void test_loops(void **state)
{
    struct loading *loading = *state;
    g_autoptr(GString) deep = g_string_new("m/deep");

    loading_add(loading, "m")->recursive = true;
    make_directory(at(loading, "m"));
    make_directory(at(loading, "m/x"));
    make_link("../../m", at(loading, "m/x/back"));
    make_link(".", at(loading, "m/self"));
    make_link("round.yaml", at(loading, "m/round.yaml"));
    for (unsigned i = 0; i < 40; i++) {
        make_directory(at(loading, "%s", deep->str));
        g_string_append(deep, "/d");
    }
    write_file(at(loading, "m/x/a.yaml"), "a");
    loading_start(loading);
    assert_string_equal(loading_all(loading), "0 m/x/a.yaml: a\n");
    assert_non_null(strstr(loading_diagnostics(loading, "m/x/back"), "directory-loop"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/self"), "directory-loop"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/round.yaml"), "link-loop"));
    assert_null(loading_diagnostics(loading, "m/deep"));
    unlink(at(loading, "m/round.yaml"));
    write_file(at(loading, "m/round.yaml"), "b");
    loading_until(loading, loading_says(loading, "m/round.yaml", "b"));
}

static void test_single_file(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "x/services");
    loading_add(loading, "x");
    loading_start(loading);
    make_directory(at(loading, "x"));
    write_file(at(loading, "x/services"), "a");
    loading_until(loading, loading_says(loading, "x/services", "a"));
    write_file(at(loading, "x/services"), "b");
    loading_until(loading, loading_says(loading, "x/services", "b"));
    put_file(at(loading, "x/services"), "c");
    loading_until(loading, loading_says(loading, "x/services", "c"));
    assert_int_equal(g_hash_table_size(loading->told), 1);
    unlink(at(loading, "x/services"));
    loading_until(loading, !loading_of(loading, "x/services"));
    write_file(at(loading, "linked"), "d");
    make_link("../linked", at(loading, "x/services"));
    loading_until(loading, loading_says(loading, "x/services", "d"));
    write_file(at(loading, "linked"), "e");
    loading_until(loading, loading_says(loading, "x/services", "e"));
}

static void test_linked_file(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m");
    make_directory(at(loading, "m"));
    make_directory(at(loading, "t"));
    write_file(at(loading, "t/1.txt"), "one");
    make_link("../t/1.txt", at(loading, "m/a.yaml"));
    make_link("../t/2.txt", at(loading, "m/b.yaml"));
    loading_start(loading);
    assert_string_equal(loading_all(loading), "0 m/a.yaml: one\n");
    assert_non_null(strstr(loading_diagnostics(loading, "m/b.yaml"), "dangling-link"));
    write_file(at(loading, "t/1.txt"), "in,place");
    loading_until(loading, loading_says(loading, "m/a.yaml", "in,place"));
    put_file(at(loading, "t/1.txt"), "renamed");
    loading_until(loading, loading_says(loading, "m/a.yaml", "renamed"));
    write_file(at(loading, "t/2.txt"), "two");
    loading_until(loading, loading_says(loading, "m/b.yaml", "two"));
    assert_string_equal(loading_diagnostics(loading, "m/b.yaml"), "");
    make_link("../t/2.txt", at(loading, "m/a.yaml"));
    loading_until(loading, loading_says(loading, "m/a.yaml", "two"));
    unlink(at(loading, "t/2.txt"));
    loading_until(loading, g_hash_table_size(loading->told) == 0);
    make_link("1.txt", at(loading, "t/2.txt"));
    loading_until(loading, loading_says(loading, "m/b.yaml", "renamed"));
}

static void test_hard_link(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m");
    make_directory(at(loading, "m"));
    write_file(at(loading, "other"), "a");
    loading_start(loading);
    assert_int_equal(link(at(loading, "other"), at(loading, "m/a.yaml")), 0);
    loading_until(loading, loading_says(loading, "m/a.yaml", "a"));
    write_file(at(loading, "other"), "b"); /* through the name that is not watched */
    loading_until(loading, loading_says(loading, "m/a.yaml", "b"));
    write_file(at(loading, "m/a.yaml"), "c");
    loading_until(loading, loading_says(loading, "m/a.yaml", "c"));
    /* created without a name and linked in: never closed */
    int fd = open(at(loading, "m"), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
    if (fd >= 0) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *name = g_strdup_printf("/proc/self/fd/%d", fd);
        append_services(text, "d");
        assert_int_equal(write(fd, text->str, text->len), text->len);
        assert_int_equal(
            linkat(AT_FDCWD, name, AT_FDCWD, at(loading, "m/d.yaml"), AT_SYMLINK_FOLLOW), 0);
        loading_until(loading, loading_says(loading, "m/d.yaml", "d"));
        close(fd);
    }
}

/* One of the names is in another of the configured directories. */
static void test_hard_link_elsewhere(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m");
    loading_add(loading, "n");
    make_directory(at(loading, "m"));
    make_directory(at(loading, "n"));
    write_file(at(loading, "m/a.yaml"), "a");
    loading_start(loading);
    assert_int_equal(link(at(loading, "m/a.yaml"), at(loading, "n/b.yaml")), 0);
    loading_until(loading, loading_says(loading, "n/b.yaml", "a"));
    loading_rest(loading);
    write_file(at(loading, "n/b.yaml"), "b");
    loading_until(loading, loading_says(loading, "n/b.yaml", "b"));
    loading_until(loading, loading_says(loading, "m/a.yaml", "b"));
    write_file(at(loading, "m/a.yaml"), "c");
    loading_until(loading, loading_says(loading, "n/b.yaml", "c"));
}

/* A volume as the kubelet writes it: a new set beside the old one, then the link is swapped, then
 * links are made for new files and removed for old ones. */
struct volume {
    struct loading *loading;
    unsigned generation;
};

static void write_set(struct volume *volume, const char *names)
{
    g_auto(GStrv) list = g_strsplit(names, ",", -1);

    make_directory(at(volume->loading, "m/..%u", ++volume->generation));
    for (char **name = list; *name; name++) {
        g_autofree char *service = g_strdup_printf("%s%u", *name, volume->generation);
        write_file(at(volume->loading, "m/..%u/%s.yaml", volume->generation, *name), service);
    }
}

static void swap_set(struct volume *volume)
{
    g_autofree char *target = g_strdup_printf("..%u", volume->generation);

    make_link(target, at(volume->loading, "m/..data"));
}

static void link_set(struct volume *volume, const char *names)
{
    g_auto(GStrv) list = g_strsplit(names, ",", -1);

    for (char **name = list; *name; name++) {
        g_autofree char *target = g_strdup_printf("..data/%s.yaml", *name);
        (void)!symlink(target, at(volume->loading, "m/%s.yaml", *name));
    }
}

static void test_volume(void **state)
{
    struct loading *loading = *state;
    struct volume volume = {.loading = loading};

    loading_add(loading, "m");
    make_directory(at(loading, "m"));
    write_set(&volume, "a,b,c");
    swap_set(&volume);
    link_set(&volume, "a,b,c");
    loading_start(loading);
    assert_string_equal(loading_all(loading), "0 m/a.yaml: a1\n0 m/b.yaml: b1\n0 m/c.yaml: c1\n");
    for (unsigned i = 0; i < 5; i++) {
        unsigned settled = loading->n_settled;
        write_set(&volume, "a,b,c");
        swap_set(&volume);
        remove_tree(at(loading, "m/..%u", volume.generation - 1));
        loading_until(loading, loading->n_settled > settled);
        g_autofree char *expected =
            g_strdup_printf("0 m/a.yaml: a%u\n0 m/b.yaml: b%u\n0 m/c.yaml: c%u\n",
                            volume.generation, volume.generation, volume.generation);
        assert_string_equal(loading_all(loading), expected);
    }

    /* one file more and one less: not seen while the links are missing */
    unsigned settled = loading->n_settled;
    write_set(&volume, "b,c,d");
    swap_set(&volume);
    for (unsigned i = 0; i < 8; i++) {
        loading_run(loading, 0);
        assert_int_equal(loading->n_settled, settled);
    }
    link_set(&volume, "b,c,d");
    for (unsigned i = 0; i < 5; i++)
        loading_run(loading, 0);
    unlink(at(loading, "m/a.yaml"));
    loading_until(loading, loading->n_settled > settled);
    assert_string_equal(loading_all(loading), "0 m/b.yaml: b7\n0 m/c.yaml: c7\n0 m/d.yaml: d7\n");

    /* links that never come are not waited for */
    write_set(&volume, "b,c,d,e");
    swap_set(&volume);
    loading_until(loading, loading_says(loading, "m/d.yaml", "d8"));
    assert_string_equal(loading_all(loading), "0 m/b.yaml: b8\n0 m/c.yaml: c8\n0 m/d.yaml: d8\n");
}

static void drop_privileges(void)
{
    if (geteuid() != 0)
        return;
    assert_int_equal(setgroups(0, NULL), 0);
    assert_int_equal(setresgid(65534, 65534, 65534), 0);
    assert_int_equal(setresuid(65534, 65534, 65534), 0);
}

/* Root may read everything: the test runs in a child as user nobody. */
static void run_as_nobody(void (*test)(struct loading *loading))
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        drop_privileges();
        struct loading *loading = loading_new();
        test(loading);
        loading_free(loading);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void with_permissions(struct loading *loading)
{
    loading_add(loading, "m")->recursive = true;
    loading_add(loading, "n");
    make_directory(at(loading, "m"));
    make_directory(at(loading, "m/x"));
    make_directory(at(loading, "n"));
    write_file(at(loading, "m/a.yaml"), "a");
    write_file(at(loading, "m/b.yaml"), "b");
    write_file(at(loading, "m/x/c.yaml"), "c");
    write_file(at(loading, "n/d.yaml"), "d");
    chmod(at(loading, "m/b.yaml"), 0);
    loading_start(loading);
    assert_non_null(strstr(loading_diagnostics(loading, "m/b.yaml"), "Permission denied"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/b.yaml"), "known yet"));
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    chmod(at(loading, "m/b.yaml"), 0600);
    loading_until(loading, loading_says(loading, "m/b.yaml", "b"));

    chmod(at(loading, "m/a.yaml"), 0);
    loading_until(loading, loading_is_stale(loading, "m/a.yaml"));
    assert_true(loading_says(loading, "m/a.yaml", "a"));

    chmod(at(loading, "m/x"), 0);
    loading_until(loading, loading_diagnostics(loading, "m/x"));
    assert_true(loading_says(loading, "m/x/c.yaml", "c"));
    chmod(at(loading, "m/x"), 0700);
    write_file(at(loading, "m/x/c.yaml"), "e");
    loading_until(loading, loading_says(loading, "m/x/c.yaml", "e"));
    assert_null(loading_diagnostics(loading, "m/x"));

    /* the whole of one configured directory, and its parent */
    chmod(at(loading, "m"), 0);
    loading_until(loading, loading_diagnostics(loading, "m"));
    write_file(at(loading, "n/d.yaml"), "f");
    loading_until(loading, loading_says(loading, "n/d.yaml", "f"));
    assert_string_equal(loading_all(loading),
                        "0 m/a.yaml: a\n0 m/b.yaml: b\n0 m/x/c.yaml: e\n1 n/d.yaml: f\n");
    chmod(at(loading, "m"), 0700);
    unlink(at(loading, "m/b.yaml"));
    loading_until(loading, !loading_of(loading, "m/b.yaml"));
    assert_null(loading_diagnostics(loading, "m"));
    chmod(at(loading, "m/a.yaml"), 0600);
    loading_until(loading, !loading_is_stale(loading, "m/a.yaml"));
}

static void test_permissions(void **state)
{
    (void)state;
    run_as_nobody(with_permissions);
}

static void with_mount(struct loading *loading)
{
    loading_add(loading, "x/m");
    make_directory(at(loading, "x"));
    make_directory(at(loading, "x/m"));
    make_directory(at(loading, "y"));
    make_directory(at(loading, "y/m"));
    write_file(at(loading, "x/m/a.yaml"), "below");
    write_file(at(loading, "y/m/b.yaml"), "above");
    loading_start(loading);
    assert_int_equal(mount("tmpfs", at(loading, "x/m"), "tmpfs", 0, NULL), 0);
    loading_until(loading, !loading_of(loading, "x/m/a.yaml"));
    write_file(at(loading, "x/m/c.yaml"), "on top");
    loading_until(loading, loading_of(loading, "x/m/c.yaml"));
    assert_int_equal(umount2(at(loading, "x/m"), MNT_DETACH), 0);
    loading_until(loading, loading_says(loading, "x/m/a.yaml", "below"));
    assert_int_equal(mount(at(loading, "y"), at(loading, "x"), NULL, MS_BIND, NULL), 0);
    loading_until(loading, loading_says(loading, "x/m/b.yaml", "above"));
    assert_null(loading_of(loading, "x/m/a.yaml"));
    write_file(at(loading, "x/m/d.yaml"), "d");
    loading_until(loading, loading_says(loading, "x/m/d.yaml", "d"));
    assert_int_equal(umount2(at(loading, "x"), MNT_DETACH), 0);
    loading_until(loading, loading_says(loading, "x/m/a.yaml", "below"));
}

static void test_mount_as_root(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip_test("needs root");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* In a chroot "/" is no mount that could be made private. */
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
            _exit(77);
        struct loading *loading = loading_new();
        with_mount(loading);
        loading_free(loading);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip_test("no mount namespace of its own here");
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
        TEST(appears),     TEST(made_again),          TEST(deleted_but_open),
        TEST(replaced),    TEST(linked_directory),    TEST(recursive),
        TEST(loops),       TEST(single_file),         TEST(linked_file),
        TEST(hard_link),   TEST(hard_link_elsewhere), TEST(volume),
        TEST(permissions), TEST(mount_as_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
