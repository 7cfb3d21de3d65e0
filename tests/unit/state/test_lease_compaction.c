/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compaction of the journal of leases: however it fails and wherever it is interrupted, the journal
 * always holds exactly the changes written to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/lease_store.h"

#define KEYS 300u
#define LINES_MAX (2 * KEYS + 4096u) /* more of them are compacted */
#define SYNC_EVERY 64u               /* changes: a disk may take its time for each sync */

/* One change, and one line: no step takes an address from another key. */
static void change(struct lease_store *store, GRand *rng)
{
    char key[64], text[ADDRESS_TEXT_MAX];
    struct address address;
    g_snprintf(key, sizeof key, "ns/Pod/%d", g_rand_int_range(rng, 0, KEYS));
    g_snprintf(text, sizeof text, "10.0.%d.%d", g_rand_int_range(rng, 0, 2),
               g_rand_int_range(rng, 0, 256));
    switch (g_rand_int_range(rng, 0, 8)) {
    case 0:
        assert_true(address_parse(&address, text, strlen(text)));
        g_free(leases_evict(store->leases, &address));
        break;
    case 1 ... 3: lease_store_release(store, key); break;
    default: lease_store_take(store, key, text);
    }
}

static void assert_kept(const struct lease_store *store, const char *directory)
{
    g_autofree char *said = lease_store_dump(store);
    g_autofree char *kept = lease_store_dump_directory(directory);
    assert_string_equal(kept, said);
}

static struct stat stat_of(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "leases", NULL);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st;
}

/* Until it has been compacted. */
static void outgrow(struct lease_store *store, const char *directory, GRand *rng)
{
    ino_t inode = stat_of(directory).st_ino;
    for (unsigned i = 0; stat_of(directory).st_ino == inode; i++) {
        assert_true(i < 100000);
        change(store, rng);
        lease_store_write(store);
        if (i % SYNC_EVERY == 0)
            lease_store_sync(store);
    }
}

static void changes_go_on(void **state)
{
    g_autoptr(GRand) rng = g_rand_new_with_seed(1);
    struct lease_store store;
    lease_store_open(&store, *state);
    lease_store_write(&store);
    unsigned compactions = 0;
    ino_t inode = stat_of(*state).st_ino;
    for (unsigned i = 0; i < 50000; i++) {
        change(&store, rng);
        if (g_rand_int_range(rng, 0, 3) == 0)
            lease_store_write(&store);
        if (i % SYNC_EVERY == 0)
            lease_store_sync(&store);
        bool compacted = stat_of(*state).st_ino != inode;
        inode = stat_of(*state).st_ino;
        compactions += compacted;
        assert_in_range(stat_of(*state).st_size, 0, 400000); /* it does not grow for ever */
        if (compacted || g_rand_int_range(rng, 0, 2000) == 0) {
            lease_store_write(&store);
            assert_kept(&store, *state);
        }
    }
    assert_in_range(compactions, 3, 100);
    lease_store_write(&store);
    assert_kept(&store, *state);
    lease_store_close(&store);
}

/* A backup by a second name stays as it was made, however large. */
static void another_name_keeps_the_old_journal(void **state)
{
    g_autoptr(GRand) rng = g_rand_new_with_seed(8);
    g_autofree char *path = g_build_filename(*state, "leases", NULL);
    g_autofree char *name = g_strconcat(*state, ".backup", NULL);
    struct lease_store store;
    lease_store_open(&store, *state);
    while (stat_of(*state).st_size < 3000000) {
        change(&store, rng);
        lease_store_write(&store);
    }
    assert_int_equal(link(path, name), 0);
    lease_store_sync(&store);
    assert_in_range(stat_of(*state).st_size, 0, 100000);
    struct stat st;
    assert_int_equal(stat(name, &st), 0);
    assert_in_range(st.st_size, 3000000, 3001000);
    assert_int_equal(unlink(name), 0);
    assert_kept(&store, *state);
    lease_store_close(&store);
}

/* What is written to stderr goes to a file meanwhile. */
static int divert_log(FILE *file)
{
    int before = dup(STDERR_FILENO);
    assert_true(before >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    return before;
}

static unsigned count_in(FILE *file, const char *what)
{
    char line[512];
    unsigned n = 0;
    rewind(file);
    while (fgets(line, sizeof line, file))
        n += strstr(line, what) != NULL;
    clearerr(file);
    return n;
}

/* Makes compactions fail from now on, or stops that. */
typedef void (*hindrance)(const char *directory, bool hinder);

/* No journal is lost, the failure is logged once, and it is not retried all the time. */
static void assert_fails_well(const char *directory, hindrance hinder)
{
    g_autoptr(GRand) rng = g_rand_new_with_seed(3);
    FILE *log = tmpfile();
    struct lease_store store;
    lease_store_open(&store, directory);
    lease_store_write(&store);
    ino_t inode = stat_of(directory).st_ino;
    int stderr_fd = divert_log(log);
    hinder(directory, true);
    unsigned complaints = 0;
    for (unsigned i = 0; i < 3 * LINES_MAX && complaints == 0; i++) {
        change(&store, rng);
        lease_store_write(&store);
        if (i % SYNC_EVERY != 0)
            continue;
        lease_store_sync(&store);
        complaints = count_in(log, "cannot be compacted");
    }
    for (unsigned i = 0; i < LINES_MAX; i++) {
        change(&store, rng);
        lease_store_write(&store);
        if (i % SYNC_EVERY == 0)
            lease_store_sync(&store);
    }
    hinder(directory, false);
    lease_store_write(&store);
    assert_true(dup2(stderr_fd, STDERR_FILENO) >= 0);
    close(stderr_fd);
    assert_int_equal(count_in(log, "cannot be compacted"), 1);
    assert_int_equal(fclose(log), 0);
    assert_int_equal(stat_of(directory).st_ino, inode);
    assert_kept(&store, directory);
    outgrow(&store, directory, rng);
    assert_kept(&store, directory);
    lease_store_close(&store);
}

static void hinder_by_directory(const char *directory, bool hinder)
{
    g_autofree char *path = g_build_filename(directory, "leases.new", NULL);
    assert_int_equal(hinder ? g_mkdir(path, 0700) : g_rmdir(path), 0);
}

static void the_new_file_cannot_be_made(void **state)
{
    assert_fails_well(*state, hinder_by_directory);
}

static void hinder_by_limit(const char *directory, bool hinder)
{
    struct rlimit limit;
    (void)directory;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = hinder ? 4096 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void the_new_file_cannot_be_written(void **state)
{
    assert_fails_well(*state, hinder_by_limit);
}

/* The old journal takes nothing any more, but the new one would: it says what was noted in vain, so
 * that is not written to it once more. */
static void what_could_not_be_written_is_in_the_new_file(void **state)
{
    g_autoptr(GRand) rng = g_rand_new_with_seed(9);
    g_autofree char *path = g_build_filename(*state, "leases", NULL);
    struct lease_store store;
    struct rlimit limit;
    lease_store_open(&store, *state);
    while (stat_of(*state).st_size < 100000) {
        change(&store, rng);
        lease_store_write(&store);
    }
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = (rlim_t)stat_of(*state).st_size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    outgrow(&store, *state, rng);
    for (unsigned i = 0; i < 100; i++) {
        change(&store, rng);
        lease_store_write(&store);
    }
    assert_kept(&store, *state);
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    unsigned lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    assert_in_range(lines, 100, 1 + 512 + 100);
    /* and its lines are counted as they are */
    ino_t inode = stat_of(*state).st_ino;
    for (unsigned i = 0; i < 4096 - 512; i++) {
        change(&store, rng);
        lease_store_write(&store);
        if (i % SYNC_EVERY == 0)
            lease_store_sync(&store);
    }
    assert_int_equal(stat_of(*state).st_ino, inode);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    lease_store_write(&store);
    assert_kept(&store, *state);
    lease_store_close(&store);
}

static void what_a_crash_left_is_removed(void **state)
{
    g_autofree char *path = g_build_filename(*state, "leases.new", NULL);
    assert_true(g_file_set_contents(path, "+ pod 10.0.0.9", -1, NULL));
    struct lease_store store;
    lease_store_open(&store, *state);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    lease_store_close(&store);
}

/* --- Killed at any moment --- */

static _Noreturn void run_until_killed(const char *directory, guint32 seed, uint64_t *done)
{
    GRand *rng = g_rand_new_with_seed(seed);
    struct lease_store store;
    lease_store_open(&store, directory);
    for (uint64_t i = 1;; i++) {
        change(&store, rng);
        lease_store_write(&store);
        __atomic_store_n(done, i, __ATOMIC_RELEASE);
        if (i % 256 == 0)
            lease_store_sync(&store);
    }
}

/* Does the store say what is said by `kept`, after `done` changes, or one more that was written but
 * not told of? */
static void assert_says_after(struct lease_store *store, guint32 seed, uint64_t done,
                              const char *kept)
{
    g_autoptr(GRand) rng = g_rand_new_with_seed(seed);
    for (uint64_t i = 0; i < done; i++)
        change(store, rng);
    g_autofree char *said = lease_store_dump(store);
    if (strcmp(said, kept) == 0)
        return;
    change(store, rng);
    g_autofree char *more = lease_store_dump(store);
    assert_string_equal(kept, more);
}

static void killed_at_any_moment(void **state)
{
    g_autoptr(GRand) rng = g_rand_new_with_seed(7);
    uint64_t *done =
        mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(done != MAP_FAILED);
    for (guint32 seed = 100; seed < 130; seed++) {
        struct lease_store model; /* as the one that is killed starts, but without a journal */
        lease_store_open(&model, *state);
        model.journal = lease_journal_close(model.journal);
        uint64_t until = (uint64_t)g_rand_int_range(rng, 1, 3 * LINES_MAX);
        *done = 0;
        pid_t pid = fork();
        if (pid == 0)
            run_until_killed(*state, seed, done);
        while (__atomic_load_n(done, __ATOMIC_ACQUIRE) < until && waitpid(pid, NULL, WNOHANG) == 0)
            sched_yield();
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        struct lease_store next;
        lease_store_open(&next, *state);
        g_autofree char *kept = lease_store_dump(&next);
        lease_store_close(&next);
        assert_says_after(&model, seed, *done, kept);
        lease_store_close(&model);
    }
    assert_int_equal(munmap(done, sizeof *done), 0);
}

#define compaction_test(test)                                                                      \
    cmocka_unit_test_setup_teardown(test, lease_store_make_directory, lease_store_remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        compaction_test(changes_go_on),
        compaction_test(another_name_keeps_the_old_journal),
        compaction_test(what_could_not_be_written_is_in_the_new_file),
        compaction_test(the_new_file_cannot_be_made),
        compaction_test(the_new_file_cannot_be_written),
        compaction_test(what_a_crash_left_is_removed),
        compaction_test(killed_at_any_moment),
    };
    (void)signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
