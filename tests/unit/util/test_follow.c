/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Following a file: through links, over replacements, and before it exists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/follow.h"
#include "tests/unit/alarm.h"

static sd_event *event;
static char *directory;
static struct follow *follow;
static unsigned changes;

static char *path_of(const char *name)
{
    return g_build_filename(directory, name, NULL);
}

static void on_changed(void *userdata)
{
    (void)userdata;
    changes++;
}

static int setup(void **state)
{
    (void)state;
    changes = 0;
    directory = g_dir_make_tmp("kubesvc-XXXXXX", NULL);
    return directory && sd_event_new(&event) >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const names[] = {"file", "loop", "other", "run/sub/file", "run/sub", "run"};

    (void)state;
    follow = follow_free(follow);
    event = sd_event_unref(event);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = path_of(names[i]);

        (void)remove(path);
    }
    (void)rmdir(directory);
    g_clear_pointer(&directory, g_free);
    return 0;
}

static void start(const char *name)
{
    g_autofree char *path = path_of(name);

    follow = follow_new(event, path, on_changed, NULL);
}

static void write_file(const char *name)
{
    g_autofree char *path = path_of(name);
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs("text\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void make_directory(const char *name)
{
    g_autofree char *path = path_of(name);

    assert_int_equal(mkdir(path, 0755), 0);
}

static void link_to(const char *target, const char *name)
{
    g_autofree char *path = path_of(name);

    assert_int_equal(symlink(target, path), 0);
}

static void move(const char *from, const char *to)
{
    g_autofree char *a = path_of(from);
    g_autofree char *b = path_of(to);

    assert_int_equal(rename(a, b), 0);
}

/* All inotify events are queued at once: earlier changes are reported before the loop idles. */
static void run(void)
{
    while (sd_event_run(event, 20000) > 0)
        ;
}

static void expect_change(void)
{
    unsigned before = changes;
    ALARM five = alarm_new(event, 5000000);

    while (changes == before && !alarm_rang(five))
        assert_true(sd_event_run(event, 100000) >= 0);
    assert_true(changes > before);
    run();
}

static void test_plain_file(void **state)
{
    (void)state;
    write_file("file");
    start("file");
    write_file("file");
    expect_change();
    write_file("other");
    move("other", "file");
    expect_change();
    {
        g_autofree char *path = path_of("file");

        assert_int_equal(unlink(path), 0);
    }
    expect_change();
    write_file("file");
    expect_change();
}

/* As where the file is mounted over another one: what writes to it goes another way. */
static void test_written_by_another_path(void **state)
{
    g_autofree char *file = path_of("file"), *other = path_of("other");

    (void)state;
    write_file("file");
    assert_int_equal(link(file, other), 0);
    start("file");
    write_file("other");
    expect_change();
    write_file("other");
    expect_change();
    assert_int_equal(unlink(file), 0);
    expect_change();
    write_file("other"); /* which it no longer is */
    run();
    changes = 0;
    write_file("other");
    run();
    assert_int_equal(changes, 0);
}

static void test_others_do_not_matter(void **state)
{
    (void)state;
    write_file("file");
    start("file");
    write_file("other");
    make_directory("run");
    run();
    assert_int_equal(changes, 0);
}

static void test_link_to_nowhere_yet(void **state)
{
    (void)state;
    link_to("run/sub/file", "file");
    start("file");
    make_directory("run");
    expect_change();
    make_directory("run/sub");
    expect_change();
    write_file("run/sub/file");
    expect_change();
    write_file("run/sub/file");
    expect_change();
    link_to("elsewhere", "other");
    move("other", "file");
    expect_change();
    write_file("run/sub/file"); /* leads nowhere any more */
    run();
    changes = 0;
    write_file("run/sub/file");
    run();
    assert_int_equal(changes, 0);
}

static void test_loop_of_links(void **state)
{
    (void)state;
    link_to("file", "loop");
    link_to("loop", "file");
    start("file");
    write_file("other");
    move("other", "file");
    expect_change();
}

/* What start() logs while there is no descriptor left for inotify. */
static void start_without_inotify(const char *name, char *text, size_t size)
{
    FILE *log = tmpfile();
    int kept = dup(STDERR_FILENO);
    struct rlimit before, none;

    assert_non_null(log);
    assert_int_equal(dup2(fileno(log), STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 1, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    start(name);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    close(kept);
    rewind(log);
    text[fread(text, 1, size - 1, log)] = '\0';
    assert_int_equal(fclose(log), 0);
}

static void test_no_inotify(void **state)
{
    g_autofree char *expected = NULL, *path = path_of("file");
    char text[1024];

    (void)state;
    write_file("file");
    start_without_inotify("file", text, sizeof text);
    expected = g_strdup_printf("cannot watch all of %s: Too many open files", path);
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, "changes will not be noticed until a reload\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_plain_file),           TEST(test_written_by_another_path),
        TEST(test_others_do_not_matter), TEST(test_link_to_nowhere_yet),
        TEST(test_loop_of_links),        TEST(test_no_inotify),
    };

    return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
