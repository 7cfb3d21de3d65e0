/* LDFLAGS: -Wl,--wrap=pread64 */
/*
 * Compaction of the journal of leases, by real children: whatever goes on meanwhile and wherever it
 * is cut short, the journal says at every moment what was said to it, and nothing else.
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
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/lease_store.h"

ssize_t __real_pread64(int fd, void *buffer, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off_t offset);

static size_t pread_size; /* at most so many bytes at a time, unless 0 */

ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off_t offset)
{
    return __real_pread64(fd, buffer, pread_size ? MIN(size, pread_size) : size, offset);
}

#define KEYS 300u
#define LINES_MAX (2 * KEYS + 4096u) /* more of them are compacted */

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

static bool have_child(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* The children of a loop that there is not any more: they were killed, but not waited for. */
static void reap(void)
{
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

/* Until a compaction starts. */
static void outgrow(struct lease_store *store, GRand *rng)
{
    for (unsigned i = 0; !have_child(); i++) {
        assert_true(i < 100000);
        change(store, rng);
        lease_store_write(store);
        assert_true(sd_event_run(store->event, 0) >= 0);
    }
}

/* Lets the loop run until nothing is left to do. */
static void run_out(struct lease_store *store)
{
    while (sd_event_run(store->event, have_child() ? 10 * G_USEC_PER_SEC : 0) > 0)
        ;
    assert_false(have_child());
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
        if (g_rand_int_range(rng, 0, 8) == 0)
            assert_true(sd_event_run(store.event, 0) >= 0);
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
    reap();
}

/* More than is copied at once comes in after the child has its leases, and while it is copied. */
static void much_is_written_meanwhile(void **state)
{
    g_autoptr(GRand) rng = g_rand_new_with_seed(2);
    struct lease_store store;
    lease_store_open(&store, *state);
    outgrow(&store, rng);
    ino_t inode = stat_of(*state).st_ino;
    goffset before = stat_of(*state).st_size;
    while (stat_of(*state).st_size < before + 900000) {
        change(&store, rng);
        lease_store_write(&store);
    }
    unsigned rounds = 0;
    for (; stat_of(*state).st_ino == inode; rounds++) {
        assert_true(sd_event_run(store.event, 10 * G_USEC_PER_SEC) > 0);
        for (unsigned i = 0; i < 10; i++)
            change(&store, rng);
        lease_store_write(&store);
        assert_kept(&store, *state);
    }
    assert_in_range(rounds, 4, 10); /* the child's end, then a step of 256 KiB in each */
    assert_in_range(stat_of(*state).st_size, 900000, 1000000);
    change(&store, rng);
    lease_store_write(&store);
    assert_kept(&store, *state);
    lease_store_close(&store);
}

/* Less may be read than was asked for, and it is not the end. */
static void much_is_written_and_little_read_at_once(void **state)
{
    pread_size = 1000;
    much_is_written_meanwhile(state);
    pread_size = 0;
}

/* A backup by a second name stays as it was made, however large. */
static void another_name_keeps_the_old_journal(void **state)
{
    g_autoptr(GRand) rng = g_rand_new_with_seed(8);
    g_autofree char *path = g_build_filename(*state, "leases", NULL);
    g_autofree char *name = g_strconcat(*state, ".backup", NULL);
    struct lease_store store;
    lease_store_open(&store, *state);
    outgrow(&store, rng);
    while (stat_of(*state).st_size < 3000000) {
        change(&store, rng);
        lease_store_write(&store);
    }
    assert_int_equal(link(path, name), 0);
    lease_store_await_compaction(&store, *state);
    run_out(&store);
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

/* Makes compactions fail from now on, or no more. */
typedef void (*hindrance)(const char *directory, bool hinder);

/* No journal is lost, nobody is told twice, and it is not tried all the time. */
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
        run_out(&store);
        complaints = i % 64 == 0 ? count_in(log, "cannot be compacted") : 0;
    }
    for (unsigned i = 0; i < LINES_MAX; i++) {
        change(&store, rng);
        lease_store_write(&store);
        assert_int_equal(sd_event_run(store.event, 0), 0); /* it has nothing to do */
    }
    hinder(directory, false);
    lease_store_write(&store);
    assert_true(dup2(stderr_fd, STDERR_FILENO) >= 0);
    close(stderr_fd);
    assert_int_equal(count_in(log, "cannot be compacted"), 1);
    assert_int_equal(fclose(log), 0);
    assert_int_equal(stat_of(directory).st_ino, inode);
    assert_kept(&store, directory);
    outgrow(&store, rng);
    lease_store_await_compaction(&store, directory);
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

static void the_child_cannot_write(void **state)
{
    assert_fails_well(*state, hinder_by_limit);
}

static void hinder_by_processes(const char *directory, bool hinder)
{
    struct rlimit limit;
    (void)directory;
    assert_int_equal(getrlimit(RLIMIT_NPROC, &limit), 0);
    limit.rlim_cur = hinder ? 0 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NPROC, &limit), 0);
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
    ino_t inode = stat_of(*state).st_ino;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = (rlim_t)stat_of(*state).st_size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    outgrow(&store, rng);
    for (unsigned i = 0; i < 100; i++) { /* these are not in it */
        change(&store, rng);
        lease_store_write(&store);
    }
    assert_int_equal(stat_of(*state).st_ino, inode);
    lease_store_await_compaction(&store, *state);
    run_out(&store);
    lease_store_write(&store);
    assert_kept(&store, *state);
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    unsigned lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    assert_in_range(lines, 100, 1 + 512 + 100);
    /* and its lines are counted as they are */
    for (unsigned i = 0; i < 4096 - 512; i++) {
        change(&store, rng);
        lease_store_write(&store);
        assert_int_equal(sd_event_run(store.event, 0), 0);
    }
    assert_kept(&store, *state);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    lease_store_write(&store);
    assert_kept(&store, *state);
    lease_store_close(&store);
}

/* The limit is none for root. */
static void there_can_be_no_child(void **state)
{
    int status;
    pid_t pid;
    if (geteuid() == 0)
        assert_int_equal(chown(*state, 65534, 65534), 0);
    pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
            _exit(1);
        assert_fails_well(*state, hinder_by_processes);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static pid_t find_child(void)
{
    g_autofree char *text = NULL;
    g_autofree char *path = g_strdup_printf("/proc/self/task/%d/children", (int)getpid());
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return (pid_t)atoi(text);
}

static void the_child_is_killed(void **state)
{
    g_autoptr(GRand) rng = g_rand_new_with_seed(4);
    struct lease_store store;
    lease_store_open(&store, *state);
    outgrow(&store, rng);
    ino_t inode = stat_of(*state).st_ino;
    assert_int_equal(kill(find_child(), SIGKILL), 0);
    run_out(&store);
    /* It may have been done by then. */
    g_autofree char *path = g_build_filename(*state, "leases.new", NULL);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    assert_kept(&store, *state);
    if (stat_of(*state).st_ino == inode) {
        outgrow(&store, rng);
        lease_store_await_compaction(&store, *state);
        assert_kept(&store, *state);
    }
    lease_store_close(&store);
}

static void nothing_is_left_of_one_that_was_under_way(void **state)
{
    g_autoptr(GRand) rng = g_rand_new_with_seed(5);
    g_autofree char *path = g_build_filename(*state, "leases.new", NULL);
    struct lease_store store;
    lease_store_open(&store, *state);
    outgrow(&store, rng);
    assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    g_autofree char *said = lease_store_dump(&store);
    lease_store_close(&store);
    assert_true(have_child()); /* nobody waited for it */
    reap();
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_autofree char *kept = lease_store_dump_directory(*state);
    assert_string_equal(kept, said);
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

static void it_is_removed_meanwhile(void **state)
{
    g_autoptr(GRand) rng = g_rand_new_with_seed(6);
    struct lease_store store;
    lease_store_open(&store, *state);
    outgrow(&store, rng);
    assert_int_equal(lease_store_remove(*state), 0);
    change(&store, rng);
    lease_store_write(&store);
    assert_true(have_child()); /* nobody waited for it */
    assert_kept(&store, *state);
    run_out(&store);
    outgrow(&store, rng);
    lease_store_await_compaction(&store, *state);
    change(&store, rng);
    lease_store_write(&store);
    assert_kept(&store, *state);
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
        if (i % 16 == 0)
            (void)sd_event_run(store.event, 0);
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
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* the children of the killed */
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
        struct lease_store next; /* opens, whatever children there still are */
        lease_store_open(&next, *state);
        g_autofree char *kept = lease_store_dump(&next);
        lease_store_close(&next);
        assert_says_after(&model, seed, *done, kept);
        lease_store_close(&model);
        reap();
    }
    assert_int_equal(munmap(done, sizeof *done), 0);
}

#define compaction_test(test)                                                                      \
    cmocka_unit_test_setup_teardown(test, lease_store_make_directory, lease_store_remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        compaction_test(changes_go_on),
        compaction_test(much_is_written_meanwhile),
        compaction_test(much_is_written_and_little_read_at_once),
        compaction_test(another_name_keeps_the_old_journal),
        compaction_test(what_could_not_be_written_is_in_the_new_file),
        compaction_test(the_new_file_cannot_be_made),
        compaction_test(the_child_cannot_write),
        compaction_test(there_can_be_no_child),
        compaction_test(the_child_is_killed),
        compaction_test(nothing_is_left_of_one_that_was_under_way),
        compaction_test(what_a_crash_left_is_removed),
        compaction_test(it_is_removed_meanwhile),
        compaction_test(killed_at_any_moment),
    };
    (void)signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
