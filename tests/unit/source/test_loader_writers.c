/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LDFLAGS: -Wl,--wrap=g_get_monotonic_time,--wrap=g_get_real_time */
/* LDFLAGS: -Wl,--wrap=sd_event_source_set_time,--wrap=read,--wrap=writer_of */
/*
 * Writers that do not close their file: the loader's clock can be advanced, inotify events can come
 * in two parts, and leases can be refused. Everything else is real.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/source/writer.h"
#include "tests/unit/alarm.h"
#include "tests/unit/loading.h"

gint64 __real_g_get_monotonic_time(void);
gint64 __real_g_get_real_time(void);
int __real_sd_event_source_set_time(sd_event_source *source, uint64_t usec);
ssize_t __real_read(int fd, void *buffer, size_t size);
enum writer __real_writer_of(int fd);

gint64 __wrap_g_get_monotonic_time(void);
gint64 __wrap_g_get_real_time(void);
int __wrap_sd_event_source_set_time(sd_event_source *source, uint64_t usec);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
enum writer __wrap_writer_of(int fd);

static struct {
    time_t ahead;          /* seconds that the loader's clock is */
    unsigned disturbances; /* how many readings are still written into */
    int fd;                /* the writer's */
    uint64_t began;        /* when, on the real clock */
    bool files_too;        /* and so are the times of files */
    bool no_leases;        /* the files belong to another user */
    unsigned closing;      /* how many looks still find the file open, which is closed */
    enum {
        EVERYTHING,
        FIRST_EVENT, /* and no more until a file has been read or held back */
        NOTHING,
    } hears;
} world;

enum writer __wrap_writer_of(int fd)
{
    if (world.no_leases)
        return WRITER_UNKNOWN;
    world.hears = EVERYTHING;
    if (world.fd < 0 && world.closing > 0) {
        world.closing--;
        return WRITER_PRESENT;
    }
    return __real_writer_of(fd);
}

/* Time goes slowly for the loader: a busy machine must not take it seconds to do what takes none.
 */
#define SLOWNESS 5

static uint64_t slowed(uint64_t usec)
{
    return world.began + (usec - world.began) / SLOWNESS;
}

gint64 __wrap_g_get_monotonic_time(void)
{
    uint64_t now = (uint64_t)__real_g_get_monotonic_time();

    return (gint64)(world.began != 0 ? slowed(now) : now) + world.ahead * G_USEC_PER_SEC;
}

gint64 __wrap_g_get_real_time(void)
{
    return __real_g_get_real_time() + (world.files_too ? 0 : world.ahead * G_USEC_PER_SEC);
}

int __wrap_sd_event_source_set_time(sd_event_source *source, uint64_t usec)
{
    uint64_t ahead = (uint64_t)world.ahead * 1000000;

    usec -= MIN(usec, ahead);
    if (usec > world.began)
        usec = world.began + (usec - world.began) * SLOWNESS;
    return __real_sd_event_source_set_time(source, usec);
}

static ssize_t read_inotify(int fd, void *buffer, size_t size)
{
    if (world.hears == NOTHING) {
        errno = EAGAIN;
        return -1;
    }
    if (world.hears == FIRST_EVENT) {
        size = sizeof(struct inotify_event) + 16;
        world.hears = NOTHING;
    }
    return __real_read(fd, buffer, size);
}

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    if ((st.st_mode & S_IFMT) == 0)
        return read_inotify(fd, buffer, size);
    ssize_t n = __real_read(fd, buffer, size);
    if (n != 0 || !S_ISREG(st.st_mode))
        return n;
    world.hears = EVERYTHING;
    if (world.disturbances > 0) {
        world.disturbances--;
        assert_int_equal(write(world.fd, "#\n", 2), 2);
    }
    return n;
}

static int set_up_unstarted(void **state)
{
    struct loading *loading = loading_new();

    memset(&world, 0, sizeof(world));
    world.began = (uint64_t)__real_g_get_monotonic_time();
    loading_add(loading, "m");
    make_directory(at(loading, "m"));
    write_file(at(loading, "m/a.yaml"), "a");
    world.fd = -1;
    *state = loading;
    return 0;
}

static void open_writer(struct loading *loading, int flags)
{
    world.fd = open(at(loading, "m/a.yaml"), O_WRONLY | O_CLOEXEC | flags);
    assert_true(world.fd >= 0);
}

static int set_up(void **state)
{
    int r = set_up_unstarted(state);

    loading_start(*state);
    open_writer(*state, O_APPEND);
    return r;
}

static int tear_down(void **state)
{
    if (world.fd >= 0)
        close(world.fd);
    loading_free(*state);
    return 0;
}

/* How much later the writer continues. */
static void go_on(struct loading *loading, unsigned seconds, const char *text)
{
    world.ahead += seconds;
    assert_int_equal(write(world.fd, text, strlen(text)), strlen(text));
    loading_rest(loading);
}

static void go_on_with(struct loading *loading, unsigned seconds, const char *names)
{
    g_autoptr(GString) text = g_string_new(NULL);

    append_services(text, names);
    go_on(loading, seconds, text->str);
}

/* For a minute but the last five seconds. */
static void go_on_for_long(struct loading *loading)
{
    for (unsigned i = 0; i < 6; i++)
        go_on(loading, 9, "#\n");
    go_on(loading, 1, "#\n");
}

static void finish(struct loading *loading)
{
    world.ahead++;
    close(world.fd);
    world.fd = -1;
    loading_rest(loading);
}

static void look_again(struct loading *loading)
{
    loader_reload(loading->loader, &loading->config);
    loading_rest(loading);
}

static bool complains(struct loading *loading)
{
    return strstr(loading_diagnostics(loading, "m/a.yaml"), "[not-closed]");
}

static void test_pause(void **state)
{
    struct loading *loading = *state;

    go_on_with(loading, 0, "b");
    world.ahead += 9;
    look_again(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    world.ahead += 2;
    look_again(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a,b"));
    assert_false(complains(loading));

    /* another write is in progress now */
    go_on_with(loading, 60, "c");
    go_on(loading, 9, "#\n");
    assert_true(loading_says(loading, "m/a.yaml", "a,b"));
    finish(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a,b,c"));
}

static void test_no_pause(void **state)
{
    struct loading *loading = *state;

    go_on_with(loading, 0, "b");
    go_on_for_long(loading);
    look_again(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    assert_string_equal(loading_diagnostics(loading, "m/a.yaml"), "");
    go_on(loading, 5, "#\n");
    assert_true(loading_says(loading, "m/a.yaml", "a,b"));
    assert_true(complains(loading));
    assert_false(loading_is_stale(loading, "m/a.yaml"));

    /* and a minute later again */
    go_on_with(loading, 0, "c");
    go_on_for_long(loading);
    look_again(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a,b"));
    go_on(loading, 5, "---\na: [1, 2\nb: }\n");
    assert_true(loading_says(loading, "m/a.yaml", "a,b"));
    assert_true(complains(loading));
    assert_true(loading_is_stale(loading, "m/a.yaml"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/a.yaml"), "stays in effect"));

    world.ahead++;
    assert_int_equal(ftruncate(world.fd, 0), 0);
    go_on_with(loading, 0, "d");
    assert_true(complains(loading));
    finish(loading);
    assert_true(loading_says(loading, "m/a.yaml", "d"));
    assert_string_equal(loading_diagnostics(loading, "m/a.yaml"), "");
}

/* What is complained of ends also when nothing more is written. */
static void test_pause_at_last(void **state)
{
    struct loading *loading = *state;

    go_on_with(loading, 0, "b");
    go_on_for_long(loading);
    go_on(loading, 5, "#\n");
    assert_true(complains(loading));
    world.ahead += 11;
    look_again(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a,b"));
    assert_false(complains(loading));
}

/* Nor is he heard any more when the name that he wrote to is gone. */
static void write_through_a_name_that_goes(struct loading *loading)
{
    close(world.fd);
    assert_int_equal(link(at(loading, "m/a.yaml"), at(loading, "other")), 0);
    look_again(loading);
    world.fd = open(at(loading, "other"), O_WRONLY | O_APPEND | O_CLOEXEC);
    go_on_with(loading, 0, "b");
    go_on_for_long(loading);
    go_on(loading, 5, "#\n");
    assert_true(loading_says(loading, "m/a.yaml", "a,b"));
    assert_true(complains(loading));
    world.ahead++;
    assert_int_equal(unlink(at(loading, "other")), 0);
    loading_rest(loading);
}

static void test_gone_elsewhere(void **state)
{
    struct loading *loading = *state;

    world.files_too = true;
    write_through_a_name_that_goes(loading);
    assert_true(complains(loading)); /* he still has it open */
    finish(loading);                 /* which is not heard */
    world.files_too = false;
    world.ahead += 11;
    look_again(loading);
    assert_false(complains(loading));
}

static void test_gone_elsewhere_without_leases(void **state)
{
    struct loading *loading = *state;

    world.no_leases = true;
    write_through_a_name_that_goes(loading);
    assert_false(complains(loading));
}

/* Nor does it hold still while it is read. */
static void test_no_rest(void **state)
{
    struct loading *loading = *state;

    go_on_with(loading, 0, "b");
    go_on_for_long(loading);
    world.disturbances = 3;
    go_on(loading, 5, "#\n");
    loading_until(loading, loading_says(loading, "m/a.yaml", "a,b"));
    assert_true(complains(loading));

    go_on_with(loading, 0, "c");
    go_on_for_long(loading);
    world.disturbances = 100;
    go_on(loading, 5, "#\n");
    loading_until(loading, loading_is_stale(loading, "m/a.yaml"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/a.yaml"), "keeps changing"));
    world.disturbances = 0;
    finish(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a,b,c"));
    assert_string_equal(loading_diagnostics(loading, "m/a.yaml"), "");
}

/* The daemon is not ready until then: it does not wait for what will take longer anyway. */
static void test_first_look(void **state)
{
    struct loading *loading = *state;
    ALARM second = alarm_new(loading->event, G_USEC_PER_SEC);

    open_writer(loading, O_APPEND);
    loading_start(loading);
    assert_false(alarm_rang(second));
    assert_null(loading_of(loading, "m/a.yaml"));
    finish(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a"));
}

/* However long its writer has been idle. */
static void test_first_look_waits_for_no_writer(void **state)
{
    struct loading *loading = *state;
    gint64 before;

    open_writer(loading, O_APPEND);
    world.ahead = 3;
    before = g_get_monotonic_time();
    loading_start(loading);
    assert_true(g_get_monotonic_time() - before < G_USEC_PER_SEC);
    assert_null(loading_of(loading, "m/a.yaml"));
}

/* The same if only inotify reports writers. */
static void test_first_look_disturbed(void **state)
{
    struct loading *loading = *state;

    world.no_leases = true;
    world.disturbances = 1;
    open_writer(loading, O_APPEND);
    loading_start(loading);
    assert_null(loading_of(loading, "m/a.yaml"));
    finish(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a"));
}

/* A writer that was idle for long before the daemon started is not waited for. */
static void test_first_look_paused(void **state)
{
    struct loading *loading = *state;

    open_writer(loading, O_APPEND);
    world.ahead = 11;
    loading_start(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a"));
}

static void touch(struct loading *loading)
{
    int fd = open(at(loading, "m/a.yaml"), O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(futimens(fd, NULL), 0);
    close(fd);
    loading_rest(loading);
}

/* Another writer's closing is not the end of this one's writing. */
static void test_another_closes(void **state)
{
    struct loading *loading = *state;

    assert_int_equal(ftruncate(world.fd, 0), 0);
    touch(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    go_on_with(loading, 0, "b");
    touch(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    look_again(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    go_on_with(loading, 0, "c");
    finish(loading);
    assert_true(loading_says(loading, "m/a.yaml", "b,c"));
    assert_false(complains(loading));
}

/* The kernel reports the close of a file shortly before it no longer counts as open. */
static void test_close_is_heard_early(void **state)
{
    struct loading *loading = *state;
    gint64 before;

    world.closing = 3;
    go_on_with(loading, 0, "b");
    finish(loading);
    before = g_get_monotonic_time();
    loading_until(loading, loading_says(loading, "m/a.yaml", "a,b"));
    assert_true(g_get_monotonic_time() - before < 5 * G_USEC_PER_SEC);
    assert_int_equal(world.closing, 0);
}

/* Where that cannot be known, at least an empty file is waited for: so most writers begin. */
static void test_another_closes_without_leases(void **state)
{
    struct loading *loading = *state;

    world.no_leases = true;
    assert_int_equal(ftruncate(world.fd, 0), 0);
    touch(loading);
    look_again(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    go_on_with(loading, 0, "b");
    finish(loading);
    assert_true(loading_says(loading, "m/a.yaml", "b"));

    /* but not for ever */
    open_writer(loading, O_TRUNC);
    finish(loading);
    assert_true(loading_says(loading, "m/a.yaml", "b"));
    world.ahead += 11;
    look_again(loading);
    assert_true(loading_says(loading, "m/a.yaml", ""));
}

/* Nor does it delay what is due when a writer pauses, or continues for too long. */
static void test_another_closes_again_and_again(void **state)
{
    struct loading *loading = *state;

    go_on_with(loading, 0, "b");
    touch(loading);
    world.ahead += 11;
    look_again(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a,b"));
    assert_false(complains(loading));

    world.files_too = true;
    go_on_with(loading, 0, "c");
    for (unsigned i = 0; i < 7; i++) {
        assert_true(loading_says(loading, "m/a.yaml", "a,b"));
        go_on(loading, 9, "#\n");
        touch(loading);
    }
    loading_until(loading, loading_says(loading, "m/a.yaml", "a,b,c"));
    assert_true(complains(loading));
    finish(loading);
    assert_false(complains(loading));
}

/* The loader looks at a file for another reason in the moment in which it is truncated. */
static void check_truncated_while_looking(struct loading *loading)
{
    g_autoptr(GString) half = g_string_new(NULL);

    append_services(half, "a");
    go_on_with(loading, 0, "b");
    finish(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a,b"));
    assert_int_equal(utimensat(AT_FDCWD, at(loading, "m/a.yaml"), NULL, 0), 0);
    open_writer(loading, O_APPEND);
    assert_int_equal(ftruncate(world.fd, (off_t)half->len), 0);
    world.hears = FIRST_EVENT;
    loading_until(loading, world.hears == EVERYTHING);
    loading_rest(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a,b"));
    assert_string_equal(loading_diagnostics(loading, "m/a.yaml"), "");
    go_on_with(loading, 0, "c");
    finish(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a,c"));
}

static void test_truncated_while_looking(void **state)
{
    check_truncated_while_looking(*state);
}

static void test_truncated_while_looking_without_leases(void **state)
{
    world.no_leases = true;
    check_truncated_while_looking(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
        TEST(pause),
        TEST(no_pause),
        TEST(pause_at_last),
        TEST(gone_elsewhere),
        TEST(gone_elsewhere_without_leases),
        TEST(no_rest),
        TEST(another_closes),
        TEST(close_is_heard_early),
        TEST(another_closes_without_leases),
        TEST(another_closes_again_and_again),
        TEST(truncated_while_looking),
        TEST(truncated_while_looking_without_leases),
#define UNSTARTED(name) cmocka_unit_test_setup_teardown(test_##name, set_up_unstarted, tear_down)
        UNSTARTED(first_look),
        UNSTARTED(first_look_waits_for_no_writer),
        UNSTARTED(first_look_disturbed),
        UNSTARTED(first_look_paused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
