/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LDFLAGS: -Wl,--wrap=inotify_init1,--wrap=inotify_add_watch,--wrap=read,--wrap=readdir64 */
/* LDFLAGS: -Wl,--wrap=g_get_monotonic_time,--wrap=sd_event_source_set_time,--wrap=sd_event_run */
/*
 * The loader when the system fails it: no watches, lost events, errors and surprises while files
 * are read. The system calls are real but for the one that fails.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/loading.h"

gint64 __real_g_get_monotonic_time(void);
int __real_sd_event_source_set_time(sd_event_source *source, uint64_t usec);
gint64 __wrap_g_get_monotonic_time(void);
int __wrap_sd_event_source_set_time(sd_event_source *source, uint64_t usec);
int __real_sd_event_run(sd_event *event, uint64_t usec);
int __wrap_sd_event_run(sd_event *event, uint64_t usec);

int __real_inotify_init1(int flags);
int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
ssize_t __real_read(int fd, void *buffer, size_t size);
struct dirent *__real_readdir64(DIR *directory);

int __wrap_inotify_init1(int flags);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
struct dirent *__wrap_readdir64(DIR *directory);

static struct {
    int init_error;
    int watch_error;
    bool blind;    /* watches work but report nothing, as on a network file system */
    bool overflow; /* the events at hand are lost */
    int inotify;
    int read_error;
    size_t read_size;                         /* at most so many bytes at a time, unless 0 */
    void (*reading)(struct loading *loading); /* is called as a manifest is read */
    int readdir_error;
    unsigned readdir_after;
    struct loading *loading;
} faults;

/* A busy machine may take any time over anything. Where that must not matter, the loader's clock
 * runs only while its loop waits for something. */
static struct {
    bool held;
    uint64_t stopped; /* when; 0: it runs */
    uint64_t lost;    /* while it was stopped, before */
} slow;

static uint64_t get_time(void)
{
    return (uint64_t)__real_g_get_monotonic_time();
}

static uint64_t get_lost(void)
{
    return slow.lost + (slow.stopped != 0 ? get_time() - slow.stopped : 0);
}

static void hold_clock(void)
{
    slow.held = true;
    slow.stopped = get_time();
}

int __wrap_sd_event_run(sd_event *event, uint64_t usec)
{
    if (!slow.held || usec == 0)
        return __real_sd_event_run(event, usec);
    slow.lost = get_lost();
    slow.stopped = 0;
    int r = sd_event_prepare(event);
    if (r == 0)
        r = sd_event_wait(event, usec);
    slow.stopped = get_time();
    return r > 0 ? sd_event_dispatch(event) : r;
}

gint64 __wrap_g_get_monotonic_time(void)
{
    return (gint64)((slow.stopped != 0 ? slow.stopped : get_time()) - slow.lost);
}

int __wrap_sd_event_source_set_time(sd_event_source *source, uint64_t usec)
{
    return __real_sd_event_source_set_time(source, usec + get_lost());
}

int __wrap_inotify_init1(int flags)
{
    if (faults.init_error) {
        errno = faults.init_error;
        return -1;
    }
    return faults.inotify = __real_inotify_init1(flags);
}

int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    if (faults.watch_error) {
        errno = faults.watch_error;
        return -1;
    }
    return __real_inotify_add_watch(fd, path, faults.blind ? IN_MASK_ADD | IN_UNMOUNT : mask);
}

static ssize_t lose_events(void *buffer)
{
    char lost[65536];
    struct inotify_event event = {.wd = -1, .mask = IN_Q_OVERFLOW};

    faults.overflow = false;
    while (__real_read(faults.inotify, lost, sizeof(lost)) > 0)
        ;
    memcpy(buffer, &event, sizeof(event));
    return sizeof(event);
}

static bool is_manifest(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
    if (fd == faults.inotify && faults.overflow)
        return lose_events(buffer);
    if (!is_manifest(fd))
        return __real_read(fd, buffer, size);
    if (faults.reading)
        faults.reading(faults.loading);
    if (faults.read_error) {
        errno = faults.read_error;
        return -1;
    }
    return __real_read(fd, buffer, faults.read_size ? MIN(size, faults.read_size) : size);
}

struct dirent *__wrap_readdir64(DIR *directory)
{
    if (faults.readdir_error && faults.readdir_after-- == 0) {
        errno = faults.readdir_error;
        return NULL;
    }
    return __real_readdir64(directory);
}

static int set_up(void **state)
{
    memset(&faults, 0, sizeof(faults));
    memset(&slow, 0, sizeof(slow));
    faults.inotify = -1;
    *state = faults.loading = loading_new();
    return 0;
}

static int tear_down(void **state)
{
    struct loading *loading = *state;

    assert_int_equal(loading->unordered, 0);
    loading_free(loading);
    return 0;
}

static struct loading *start(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m");
    make_directory(at(loading, "m"));
    write_file(at(loading, "m/a.yaml"), "a");
    loading_start(loading);
    assert_string_equal(loading_all(loading), "0 m/a.yaml: a\n");
    return loading;
}

/* Everything is looked at again, as after a minute. */
static void look_again(struct loading *loading)
{
    loader_reload(loading->loader, &loading->config);
    loading_rest(loading);
}

static void check_polling(struct loading *loading)
{
    write_file(at(loading, "m/b.yaml"), "b");
    loading_until(loading, loading_says(loading, "m/b.yaml", "b"));
    put_file(at(loading, "m/a.yaml"), "c");
    loading_until(loading, loading_says(loading, "m/a.yaml", "c"));
    unlink(at(loading, "m/b.yaml"));
    loading_until(loading, !loading_of(loading, "m/b.yaml"));
}

/* When watches are available again, polling stops: what inotify does not report is not seen. */
static void check_watching(struct loading *loading)
{
    gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

    for (unsigned i = 0; g_get_monotonic_time() < until; i++) {
        g_autofree char *name = g_strdup_printf("w%u", i);
        gint64 began = g_get_monotonic_time();
        put_file(at(loading, "m/w.yaml"), name);
        loading_until(loading, loading_says(loading, "m/w.yaml", name));
        if (g_get_monotonic_time() - began < G_USEC_PER_SEC / 2)
            return;
    }
    fail_msg("still polling");
}

static void test_no_instance(void **state)
{
    faults.init_error = EMFILE;
    struct loading *loading = start(state);

    check_polling(loading);
    faults.init_error = 0;
    check_watching(loading);
}

static void test_no_watches(void **state)
{
    faults.watch_error = ENOSPC;
    struct loading *loading = start(state);

    check_polling(loading);
    faults.watch_error = 0;
    check_watching(loading);
}

/* Nor is a writer's close reported. */
static void test_polling_writer(void **state)
{
    faults.watch_error = ENOSPC;
    struct loading *loading = start(state);
    gint64 began = g_get_monotonic_time();
    g_autoptr(GString) text = g_string_new(NULL);

    append_services(text, "b,c");
    int fd = open(at(loading, "m/a.yaml"), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    while (g_get_monotonic_time() - began < 3 * G_USEC_PER_SEC)
        loading_run(loading, 100000);
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    assert_int_equal(write(fd, text->str, text->len), text->len);
    close(fd);
    began = g_get_monotonic_time();
    loading_until(loading, loading_says(loading, "m/a.yaml", "b,c"));
    assert_true(g_get_monotonic_time() - began < 5 * G_USEC_PER_SEC);
}

/* Polling, a file is read when it has rested, not while it grows. */
static void test_polling_growth(void **state)
{
    faults.watch_error = ENOSPC;
    struct loading *loading = start(state);
    g_autoptr(GString) text = g_string_new(NULL);

    append_services(text, "b,c");
    int fd = open(at(loading, "m/b.yaml"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    gint64 next = 0;
    for (size_t i = 0; i < text->len;) {
        loading_run(loading, 50000);
        assert_null(loading_of(loading, "m/b.yaml"));
        if (g_get_monotonic_time() < next)
            continue;
        size_t n = MIN(50, text->len - i);
        assert_int_equal(write(fd, text->str + i, n), n);
        i += n;
        next = g_get_monotonic_time() + 600000;
    }
    close(fd);
    loading_until(loading, loading_says(loading, "m/b.yaml", "b,c"));
}

static void test_overflow(void **state)
{
    struct loading *loading = start(state);

    make_directory(at(loading, "n"));
    write_file(at(loading, "m/b.yaml"), "b");
    loading_until(loading, loading_says(loading, "m/b.yaml", "b"));
    faults.overflow = true;
    unlink(at(loading, "m/a.yaml"));
    write_file(at(loading, "m/b.yaml"), "d");
    put_file(at(loading, "m/c.yaml"), "c");
    loading_until(loading, loading_says(loading, "m/c.yaml", "c"));
    loading_until(loading, loading_says(loading, "m/b.yaml", "d"));
    assert_string_equal(loading_all(loading), "0 m/b.yaml: d\n0 m/c.yaml: c\n");

    /* the end of a writing is lost */
    int fd = open(at(loading, "m/c.yaml"), O_WRONLY | O_APPEND | O_CLOEXEC);
    g_autoptr(GString) text = g_string_new(NULL);
    append_services(text, "e");
    assert_int_equal(write(fd, text->str, text->len), text->len);
    loading_rest(loading);
    assert_true(loading_says(loading, "m/c.yaml", "c"));
    faults.overflow = true;
    close(fd);
    loading_until(loading, loading_says(loading, "m/c.yaml", "c,e"));
}

/* A file system without events: seen by the reconciling look. */
static void test_blind(void **state)
{
    faults.blind = true;
    struct loading *loading = start(state);

    write_file(at(loading, "m/b.yaml"), "b");
    put_file(at(loading, "m/a.yaml"), "c");
    loading_rest(loading);
    assert_string_equal(loading_all(loading), "0 m/a.yaml: a\n");
    look_again(loading);
    assert_string_equal(loading_all(loading), "0 m/a.yaml: c\n0 m/b.yaml: b\n");
    unlink(at(loading, "m/a.yaml"));
    look_again(loading);
    assert_string_equal(loading_all(loading), "0 m/b.yaml: b\n");
}

static void test_read_error(void **state)
{
    struct loading *loading = start(state);

    faults.read_error = EIO;
    put_file(at(loading, "m/a.yaml"), "b");
    put_file(at(loading, "m/c.yaml"), "c");
    loading_until(loading, loading_is_stale(loading, "m/a.yaml"));
    loading_until(loading, *loading_diagnostics(loading, "m/c.yaml"));
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/a.yaml"), "stays in effect"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/c.yaml"), "known yet"));
    faults.read_error = 0;
    look_again(loading);
    assert_string_equal(loading_all(loading), "0 m/a.yaml: b\n0 m/c.yaml: c\n");
    assert_false(loading_is_stale(loading, "m/a.yaml"));
}

static void test_short_reads(void **state)
{
    struct loading *loading = start(state);

    faults.read_size = 1;
    put_file(at(loading, "m/a.yaml"), "one,two,three");
    loading_until(loading, loading_says(loading, "m/a.yaml", "one,two,three"));
}

static void test_listing_error(void **state)
{
    struct loading *loading = start(state);

    put_file(at(loading, "m/b.yaml"), "b");
    loading_until(loading, loading_says(loading, "m/b.yaml", "b"));
    faults.readdir_error = EIO;
    faults.readdir_after = 3;
    look_again(loading);
    assert_non_null(strstr(loading_diagnostics(loading, "m"), "cannot be listed"));
    assert_string_equal(loading_all(loading), "0 m/a.yaml: a\n0 m/b.yaml: b\n");
    faults.readdir_error = 0;
    look_again(loading);
    assert_null(loading_diagnostics(loading, "m"));
}

static void test_no_descriptors(void **state)
{
    struct loading *loading = start(state);
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    put_file(at(loading, "m/a.yaml"), "b");
    struct rlimit none = {0, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    loading_until(loading, loading_is_stale(loading, "m/a.yaml"));
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    loading_until(loading, loading_says(loading, "m/a.yaml", "b"));

    /* a short want is not even noticed */
    put_file(at(loading, "m/a.yaml"), "c");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (unsigned i = 0; i < 5; i++)
        loading_run(loading, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    loading_until(loading, loading_says(loading, "m/a.yaml", "c"));
    assert_string_equal(loading_diagnostics(loading, "m/a.yaml"), "");
}

static void touch_it(struct loading *loading)
{
    static mode_t mode;

    mode ^= 0011;
    assert_int_equal(chmod(at(loading, "m/a.yaml"), 0644 | mode), 0);
}

/* It is another one whenever it was read. */
static void test_never_stable(void **state)
{
    faults.blind = true;
    struct loading *loading = start(state);

    put_file(at(loading, "m/a.yaml"), "b");
    faults.reading = touch_it;
    look_again(loading);
    loading_until(loading, loading_is_stale(loading, "m/a.yaml"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/a.yaml"), "keeps changing"));
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    faults.reading = NULL;
    look_again(loading);
    assert_true(loading_says(loading, "m/a.yaml", "b"));
}

static void replace_it(struct loading *loading)
{
    faults.reading = NULL;
    put_file(at(loading, "m/a.yaml"), "newest");
    put_file(at(loading, "m/b.yaml"), "b");
}

static void test_replaced_while_read(void **state)
{
    struct loading *loading = start(state);

    faults.reading = replace_it;
    put_file(at(loading, "m/a.yaml"), "new");
    loading_until(loading, loading_says(loading, "m/a.yaml", "newest"));
    loading_until(loading, loading_says(loading, "m/b.yaml", "b"));
}

static void write_set(struct loading *loading, const char *set)
{
    make_directory(at(loading, "m/..%s", set));
    for (unsigned i = 0; i < 10; i++) {
        g_autofree char *name = g_strdup_printf("%s%u", set, i);
        write_file(at(loading, "m/..%s/%u.yaml", set, i), name);
    }
}

static void swap_set(struct loading *loading, const char *set)
{
    g_autofree char *target = g_strconcat("..", set, NULL);

    assert_int_equal(symlink(target, at(loading, "m/..data_tmp")), 0);
    assert_int_equal(rename(at(loading, "m/..data_tmp"), at(loading, "m/..data")), 0);
}

static unsigned n_reads;

static void swap_midway(struct loading *loading)
{
    if (++n_reads != 7)
        return;
    swap_set(loading, "three");
    remove_tree(at(loading, "m/..two"));
}

/* All files are of one set at each moment, though the set is swapped while it is being read. */
static void test_swap_while_read(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m");
    make_directory(at(loading, "m"));
    write_set(loading, "one");
    write_set(loading, "two");
    write_set(loading, "three");
    swap_set(loading, "one");
    for (unsigned i = 0; i < 10; i++) {
        g_autofree char *target = g_strdup_printf("..data/%u.yaml", i);
        assert_int_equal(symlink(target, at(loading, "m/%u.yaml", i)), 0);
    }
    loading_start(loading);
    loading_rest(loading);
    assert_true(loading_says(loading, "m/9.yaml", "one9"));
    unsigned settled = loading->n_settled;
    n_reads = 0;
    hold_clock();
    faults.reading = swap_midway;
    swap_set(loading, "two");
    loading_until(loading, loading_says(loading, "m/9.yaml", "three9"));
    loading_until(loading, loading->n_settled > settled);
    assert_int_equal(loading->n_settled, settled + 1);
    for (unsigned i = 0; i < 10; i++) {
        g_autofree char *path = g_strdup_printf("m/%u.yaml", i);
        g_autofree char *name = g_strdup_printf("three%u", i);
        assert_true(loading_says(loading, path, name));
    }
}

static void test_burst(void **state)
{
    struct loading *loading = start(state);
    unsigned settled = loading->n_settled;

    hold_clock();
    for (unsigned i = 0; i < 1000; i++) {
        write_file(at(loading, "m/%u.yaml", i), "x");
        if (i % 10 == 0)
            loading_run(loading, 0);
    }
    loading_until(loading, g_hash_table_size(loading->told) == 1001);
    /* It has had a hundred turns meanwhile, most of which must not have ended a batch. */
    assert_true(loading->n_settled - settled < 50);
    settled = loading->n_settled;
    for (unsigned i = 0; i < 1000; i++)
        unlink(at(loading, "m/%u.yaml", i));
    /* The last file is delivered before the batch is complete. */
    loading_until(loading, g_hash_table_size(loading->told) == 1 && loading->n_settled > settled);
    assert_int_equal(loading->n_settled, settled + 1);
}

static void write_nested_set(struct loading *loading, const char *set)
{
    make_directory(at(loading, "m/..%s", set));
    make_directory(at(loading, "m/..%s/sub", set));
    for (unsigned i = 0; i < 10; i++) {
        g_autofree char *name = g_strdup_printf("%s%u", set, i);
        write_file(at(loading, "m/..%s/sub/%u.yaml", set, i), name);
    }
}

/* So late that what happens is left for the next batch. */
static void swap_late(struct loading *loading)
{
    if (n_reads == 3)
        g_usleep(50000);
    swap_midway(loading);
}

/* The same where all of the volume's files have a path of two parts. */
static void test_swap_while_nested_is_read(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m")->recursive = true;
    make_directory(at(loading, "m"));
    write_nested_set(loading, "one");
    write_nested_set(loading, "two");
    write_nested_set(loading, "three");
    swap_set(loading, "one");
    assert_int_equal(symlink("..data/sub", at(loading, "m/sub")), 0);
    loading_start(loading);
    loading_rest(loading);
    assert_true(loading_says(loading, "m/sub/9.yaml", "one9"));
    unsigned settled = loading->n_settled;
    n_reads = 0;
    faults.reading = swap_late;
    swap_set(loading, "two");
    loading_until(loading, loading_says(loading, "m/sub/9.yaml", "three9"));
    loading_until(loading, loading->n_settled > settled);
    assert_int_equal(loading->n_settled, settled + 1);
    assert_null(strstr(loading->calls->str, "two"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
        TEST(no_instance),    TEST(no_watches),      TEST(polling_growth),
        TEST(polling_writer), TEST(overflow),        TEST(blind),
        TEST(read_error),     TEST(short_reads),     TEST(listing_error),
        TEST(no_descriptors), TEST(never_stable),    TEST(replaced_while_read),
        TEST(burst),          TEST(swap_while_read), TEST(swap_while_nested_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
