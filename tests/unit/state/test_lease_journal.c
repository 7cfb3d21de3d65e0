/* SPDX-License-Identifier: LGPL-2.1-or-later */
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
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/lease_store.h"

static void assert_takes(struct lease_store *store, const char *key, const char *expected)
{
    char text[ADDRESS_TEXT_MAX];
    lease_store_take(store, key, text);
    assert_string_equal(text, expected);
}

static void assert_first_two_are_kept(const char *directory)
{
    struct lease_store store;
    lease_store_open(&store, directory);
    assert_takes(&store, "ns/Pod/new", "10.0.0.3");
    assert_takes(&store, "ns/Pod/b", "10.0.0.2");
    assert_takes(&store, "ns/Pod/a", "10.0.0.1");
    lease_store_close(&store);
}

static void what_was_written_comes_back(void **state)
{
    struct lease_store store;
    lease_store_open(&store, *state);
    assert_takes(&store, "ns/Pod/a", "10.0.0.1");
    assert_takes(&store, "ns/Pod/b", "10.0.0.2");
    lease_store_release(&store, "ns/Pod/a");
    lease_store_write(&store);
    assert_takes(&store, "ns/Pod/lost", "10.0.0.3"); /* never written, never published */
    lease_store_close(&store);
    assert_first_two_are_kept(*state);
}

static void run_second_daemon(const char *directory)
{
    struct lease_store store;
    lease_store_open(&store, NULL);
    _exit(-lease_journal_open(&store.journal, directory, store.leases));
}

static int status_of_second_daemon(const char *directory)
{
    pid_t pid = fork();
    int status;
    if (pid == 0)
        run_second_daemon(directory);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void two_daemons_do_not_share_it(void **state)
{
    struct lease_store store;
    lease_store_open(&store, *state);
    assert_int_equal(status_of_second_daemon(*state), EBUSY);
    assert_int_equal(status_of_second_daemon(*state), EBUSY); /* nor by having tried */
    lease_store_close(&store);
    assert_int_equal(status_of_second_daemon(*state), 0);
}

/* A surviving child with the descriptors of a dead daemon keeps no new daemon out. */
static void no_child_keeps_the_next_daemon_out(void **state)
{
    struct lease_store store;
    lease_store_open(&store, *state);
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        close(pipe_fds[1]);
        _exit((int)read(pipe_fds[0], &byte, 1));
    }
    lease_store_close(&store);
    assert_int_equal(status_of_second_daemon(*state), 0);
    int status;
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* As the loader does with a manifest that is a link to the lock. */
static void the_lock_outlives_other_names_for_it(void **state)
{
    static int (*const make[])(const char *, const char *) = {symlink, link};
    g_autofree char *lock = g_build_filename(*state, "lock", NULL);
    g_autofree char *name = g_strconcat(*state, ".yaml", NULL);
    struct lease_store store;
    lease_store_open(&store, *state);
    for (unsigned i = 0; i < G_N_ELEMENTS(make); i++) {
        assert_int_equal(make[i](lock, name), 0);
        int fd = open(name, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(close(fd), 0);
        assert_int_equal(unlink(name), 0);
        assert_int_equal(status_of_second_daemon(*state), EBUSY);
    }
    lease_store_close(&store);
}

static void nobody_else_may_open_the_lock(void **state)
{
    g_autofree char *lock = g_build_filename(*state, "lock", NULL);
    struct lease_store store;
    struct stat st;
    lease_store_open(&store, *state);
    assert_int_equal(stat(lock, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    lease_store_close(&store);
}

/* Whatever the place at which the file ends, whole lines before it hold, and two keys never have
 * one address. */
static void a_cut_anywhere_loses_no_whole_line(void **state)
{
    struct lease_store store;
    lease_store_open(&store, *state);
    char texts[4][ADDRESS_TEXT_MAX];
    static const char *const keys[] = {"ns/Pod/a", "ns/Pod/b", "ns/Pod/c", "ns/Pod/d"};
    for (unsigned i = 0; i < 4; i++)
        lease_store_take(&store, keys[i], texts[i]);
    lease_store_write(&store);
    lease_store_close(&store);
    g_autofree char *path = g_build_filename(*state, "leases", NULL);
    g_autofree char *whole = NULL;
    gsize size;
    assert_true(g_file_get_contents(path, &whole, &size, NULL));
    for (gsize cut = 0; cut < size; cut++) {
        assert_true(g_file_set_contents(path, whole, (gssize)cut, NULL));
        unsigned lines = 0;
        for (gsize i = 0; i < cut; i++)
            lines += whole[i] == '\n';
        lease_store_open(&store, *state);
        for (unsigned i = 0; i + 1 < lines; i++)
            assert_takes(&store, keys[i], texts[i]);
        g_autoptr(GHashTable) held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (unsigned i = 4; i-- > 0;) {
            char text[ADDRESS_TEXT_MAX];
            lease_store_take(&store, keys[i], text);
            assert_true(g_hash_table_add(held, g_strdup(text)));
        }
        lease_store_write(&store);
        char after[4][ADDRESS_TEXT_MAX];
        for (unsigned i = 0; i < 4; i++)
            lease_store_take(&store, keys[i], after[i]);
        lease_store_close(&store);
        lease_store_open(&store, *state);
        for (unsigned i = 0; i < 4; i++)
            assert_takes(&store, keys[i], after[i]);
        lease_store_close(&store);
    }
}

static void a_damaged_line_costs_only_itself(void **state)
{
    struct lease_store store;
    lease_store_open(&store, *state);
    char text[ADDRESS_TEXT_MAX];
    lease_store_take(&store, "ns/Pod/a", text);
    lease_store_take(&store, "ns/Pod/b", text);
    lease_store_take(&store, "ns/Pod/c", text);
    lease_store_write(&store);
    lease_store_close(&store);
    g_autofree char *path = g_build_filename(*state, "leases", NULL);
    g_autofree char *whole = NULL;
    gsize size;
    assert_true(g_file_get_contents(path, &whole, &size, NULL));
    strstr(whole, "10.0.0.2")[7] = '1'; /* now two lines say 10.0.0.1 */
    assert_true(g_file_set_contents(path, whole, (gssize)size, NULL));
    lease_store_open(&store, *state);
    assert_takes(&store, "ns/Pod/a", "10.0.0.1");
    assert_takes(&store, "ns/Pod/c", "10.0.0.3");
    assert_takes(&store, "ns/Pod/b", "10.0.0.2");
    lease_store_close(&store);
}

static char *read_file(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    char *text = NULL;
    (void)g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void write_journal(const char *directory, const char *text)
{
    g_autofree char *path = g_build_filename(directory, "leases", NULL);
    assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* Compaction drops damaged lines, and an administrator may want to repair them. */
static void a_damaged_journal_is_kept(void **state)
{
    static const char cut_off[] = "kubesvc leases 1\n+ pod 10.0.0.1 ns/Po";
    static const char damaged[] = "kubesvc leases 1\n+ pod 10.0.0.1 ns/Pod/a 00000000\n";
    struct lease_store store;
    write_journal(*state, cut_off); /* as any crash may leave it */
    lease_store_open(&store, *state);
    lease_store_write(&store);
    lease_store_sync(&store);
    lease_store_close(&store);
    assert_null(read_file(*state, "leases.damaged"));

    write_journal(*state, damaged);
    lease_store_open(&store, *state);
    assert_takes(&store, "ns/Pod/b", "10.0.0.1");
    lease_store_write(&store);
    lease_store_sync(&store);
    lease_store_close(&store);
    g_autofree char *kept = read_file(*state, "leases.damaged");
    assert_true(g_str_has_prefix(kept, damaged));
    g_autofree char *journal = read_file(*state, "leases");
    assert_null(strstr(journal, "ns/Pod/a"));
}

static void a_journal_of_another_version_is_put_aside(void **state)
{
    static const char *const texts[] = {"kubesvc leases 2\nsomething\n", "kubesvc leases 2\n"};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct lease_store store;
        write_journal(*state, texts[i]);
        lease_store_open(&store, *state);
        assert_takes(&store, "ns/Pod/a", "10.0.0.1");
        assert_takes(&store, "ns/Pod/b", "10.0.0.2");
        lease_store_write(&store);
        lease_store_close(&store);
        g_autofree char *kept = read_file(*state, "leases.version-2");
        assert_string_equal(kept, texts[i]);
        assert_first_two_are_kept(*state);
    }
}

/* Runs as a user who may only read there. */
static void with_read_access(const char *directory, void (*run)(const char *directory))
{
    g_autofree char *journal = g_build_filename(directory, "leases", NULL);
    bool is_root = geteuid() == 0;

    assert_int_equal(chmod(directory, 0555), 0);
    (void)chmod(journal, 0444); /* or there is none */
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    run(directory);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(directory, 0755), 0);
    (void)chmod(journal, 0644);
}

static void use_without_writing(const char *directory)
{
    struct lease_store store;
    g_autofree char *before = read_file(directory, "leases");
    lease_store_open(&store, directory);
    assert_takes(&store, "ns/Pod/b", "10.0.0.2");
    assert_takes(&store, "ns/Pod/c", "10.0.0.3");
    lease_store_write(&store);
    lease_store_close(&store);
    g_autofree char *after = read_file(directory, "leases");
    assert_string_equal(after, before);
}

static void fail_to_open(const char *directory)
{
    struct lease_store store;
    lease_store_open(&store, NULL);
    assert_int_equal(lease_journal_open(&store.journal, directory, store.leases), -EACCES);
    assert_null(store.journal);
    lease_store_close(&store);
}

static void one_that_cannot_be_written_is_read(void **state)
{
    struct lease_store store;
    with_read_access(*state, fail_to_open);
    lease_store_open(&store, *state);
    assert_takes(&store, "ns/Pod/a", "10.0.0.1");
    assert_takes(&store, "ns/Pod/b", "10.0.0.2");
    lease_store_write(&store);
    lease_store_close(&store);
    with_read_access(*state, use_without_writing);
    assert_first_two_are_kept(*state);
}

static void it_is_made_again_when_it_was_removed(void **state)
{
    struct lease_store store;
    lease_store_open(&store, *state);
    assert_takes(&store, "ns/Pod/a", "10.0.0.1");
    lease_store_write(&store);
    assert_int_equal(lease_store_remove(*state), 0);
    assert_takes(&store, "ns/Pod/b", "10.0.0.2");
    lease_store_write(&store);
    lease_store_close(&store);
    assert_first_two_are_kept(*state);
}

static goffset size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

/* However much it is, it is written when the caller says so. */
static void what_is_only_noted_is_not_written(void **state)
{
    struct lease_store store;
    lease_store_open(&store, *state);
    g_autofree char *path = g_build_filename(*state, "leases", NULL);
    goffset before = size_of(path);
    for (unsigned i = 0; i < 10000; i++) {
        char key[64], text[ADDRESS_TEXT_MAX];
        g_snprintf(key, sizeof key, "ns/Deployment/with-a-long-name/%u", i);
        lease_store_take(&store, key, text);
    }
    assert_int_equal(size_of(path), before);
    lease_store_write(&store);
    assert_in_range(size_of(path) - before, 500000, 1000000);
    lease_store_close(&store);
}

static void limit_file_size(goffset size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size < 0 ? limit.rlim_max : (rlim_t)size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The lines of a journal, and those of them that name a key. */
static void count_lines(const char *path, const char *key, unsigned *lines, unsigned *with_key)
{
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) split = g_strsplit(text, "\n", -1);
    *lines = *with_key = 0;
    for (char **line = split; *line; line++) {
        *lines += **line != '\0';
        *with_key += strstr(*line, key) != NULL;
    }
}

/* Wherever a full disk cuts a write off, all is there once there is room; and once only. */
static void a_write_that_was_cut_off_is_made_good(void **state)
{
    for (goffset room = 0; room < 140; room++) {
        struct lease_store store;
        g_autofree char *directory = g_strdup_printf("%s/%u", (char *)*state, (unsigned)room);
        g_autofree char *path = g_build_filename(directory, "leases", NULL);
        lease_store_open(&store, directory);
        assert_takes(&store, "ns/Pod/a", "10.0.0.1");
        lease_store_write(&store);
        goffset before = size_of(path);
        assert_takes(&store, "ns/Pod/b", "10.0.0.2");
        assert_takes(&store, "ns/Pod/c", "10.0.0.3");
        limit_file_size(before + room);
        lease_store_write(&store);
        bool cut = size_of(path) == before + room;
        lease_store_write(&store);
        limit_file_size(-1);
        assert_takes(&store, "ns/Pod/d", "10.0.0.4");
        lease_store_write(&store);
        g_autofree char *said = lease_store_dump(&store);
        g_autofree char *kept = lease_store_dump_directory(directory);
        assert_string_equal(kept, said);
        unsigned lines, with_key;
        count_lines(path, " ns/Pod/d ", &lines, &with_key);
        assert_int_equal(with_key, 1);
        count_lines(path, " ns/Pod/b ", &lines, &with_key);
        assert_in_range(with_key, 1, 2); /* the second one is what was cut off */
        assert_in_range(lines, 5, cut ? 6 : 5);
        if (cut && lines == 6) {
            lease_store_sync(&store);
            count_lines(path, " ns/Pod/b ", &lines, &with_key);
            assert_int_equal(lines, 5);
        }
        lease_store_close(&store);
        assert_int_equal(lease_store_remove(directory), 0);
    }
}

/* The title is whole, at the beginning and nowhere else. */
static void assert_titled(const char *path)
{
    unsigned lines, titles;
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_true(g_str_has_prefix(text, "kubesvc leases 1\n"));
    count_lines(path, "kubesvc", &lines, &titles);
    assert_int_equal(titles, 1);
}

static void a_title_that_was_cut_off_is_made_good(void **state)
{
    for (goffset room = 0; room < 24; room++) {
        struct lease_store store;
        g_autofree char *directory = g_strdup_printf("%s/%u", (char *)*state, (unsigned)room);
        g_autofree char *path = g_build_filename(directory, "leases", NULL);
        lease_store_open(&store, directory);
        assert_takes(&store, "ns/Pod/a", "10.0.0.1");
        limit_file_size(room);
        lease_store_write(&store);
        lease_store_write(&store);
        limit_file_size(-1);
        lease_store_write(&store);
        assert_titled(path);
        g_autofree char *said = lease_store_dump(&store);
        g_autofree char *kept = lease_store_dump_directory(directory);
        assert_string_equal(kept, said);
        lease_store_close(&store);
        assert_int_equal(lease_store_remove(directory), 0);
    }
}

/* Nothing could be written to the old file, not even a title, when it is compacted. */
static void a_title_comes_once_whoever_writes_it(void **state)
{
    struct lease_store store;
    char text[ADDRESS_TEXT_MAX];
    g_autofree char *path = g_build_filename(*state, "leases", NULL);
    lease_store_open(&store, *state);
    limit_file_size(5);
    for (unsigned i = 0; i < 2500; i++) {
        lease_store_take(&store, "ns/Pod/a", text);
        lease_store_release(&store, "ns/Pod/a");
    }
    lease_store_write(&store);
    limit_file_size(-1);
    lease_store_take(&store, "ns/Pod/b", text);
    lease_store_sync(&store);
    lease_store_take(&store, "ns/Pod/c", text);
    lease_store_write(&store);
    assert_titled(path);
    g_autofree char *said = lease_store_dump(&store);
    g_autofree char *kept = lease_store_dump_directory(*state);
    assert_string_equal(kept, said);
    lease_store_close(&store);
}

#define journal_test(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, lease_store_make_directory, lease_store_remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        journal_test(what_was_written_comes_back),
        journal_test(two_daemons_do_not_share_it),
        journal_test(a_cut_anywhere_loses_no_whole_line),
        journal_test(a_damaged_line_costs_only_itself),
        journal_test(a_damaged_journal_is_kept),
        journal_test(a_journal_of_another_version_is_put_aside),
        journal_test(one_that_cannot_be_written_is_read),
        journal_test(it_is_made_again_when_it_was_removed),
        journal_test(no_child_keeps_the_next_daemon_out),
        journal_test(the_lock_outlives_other_names_for_it),
        journal_test(nobody_else_may_open_the_lock),
        journal_test(a_title_that_was_cut_off_is_made_good),
        journal_test(a_title_comes_once_whoever_writes_it),
        journal_test(what_is_only_noted_is_not_written),
        journal_test(a_write_that_was_cut_off_is_made_good),
    };
    (void)signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
