/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader over directories whose files come, change and go in every way that editors, package
 * managers, kubectl and the kubelet know.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/loading.h"

static int set_up(void **state)
{
    *state = loading_new();
    return 0;
}

static int tear_down(void **state)
{
    struct loading *loading = *state;

    assert_int_equal(loading->unordered, 0);
    assert_true(loading->n_first <= 1);
    loading_free(loading);
    return 0;
}

/* A loader that looks at the directory "m", with a.yaml in it. */
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

static void test_nothing(void **state)
{
    struct loading *loading = *state;

    loading_start(loading);
    loading_rest(loading);
    assert_int_equal(loading->n_settled, 1);
    assert_int_equal(loading->n_files, 0);
}

static void test_first_look(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "z");
    loading_add(loading, "a");
    loading_add(loading, "missing");
    make_directory(at(loading, "a"));
    make_directory(at(loading, "z"));
    make_directory(at(loading, "a/below"));
    write_file(at(loading, "a/2.yml"), "two");
    write_file(at(loading, "a/10.yaml"), "ten,eleven");
    write_file(at(loading, "a/below/no.yaml"), "no");
    write_file(at(loading, "z/3.json"), "");
    loading_start(loading);
    assert_string_equal(loading_all(loading),
                        "0 z/3.json: \n1 a/10.yaml: ten,eleven\n1 a/2.yml: two\n");
    assert_int_equal(loading->n_settled, 1);
    loading_rest(loading);
    assert_int_equal(loading->n_settled, 1);
}

static void test_created(void **state)
{
    struct loading *loading = start(state);

    write_file(at(loading, "m/b.yaml"), "b");
    loading_until(loading, loading_says(loading, "m/b.yaml", "b"));
    assert_int_equal(loading->n_settled, 2);
}

static void test_in_place(void **state)
{
    struct loading *loading = start(state);
    g_autoptr(GString) text = g_string_new(NULL);

    append_services(text, "one,two");
    int fd = open(at(loading, "m/a.yaml"), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    loading_rest(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    for (size_t i = 0; i < text->len; i += 20) {
        size_t n = MIN(20, text->len - i);
        assert_int_equal(write(fd, text->str + i, n), n);
        loading_run(loading, 0);
    }
    loading_rest(loading);
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    assert_int_equal(loading->n_files, 1);
    close(fd);
    loading_until(loading, loading_says(loading, "m/a.yaml", "one,two"));
    assert_int_equal(loading->n_files, 2);
}

/* Its owner, permissions and names, and when it was read, are not its content. */
static void test_touched(void **state)
{
    struct loading *loading = start(state);
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_nsec = UTIME_OMIT}};

    write_file(at(loading, "m/a.yaml"), "b");
    loading_until(loading, loading_says(loading, "m/a.yaml", "b"));
    unsigned n_files = loading->n_files;
    assert_int_equal(chmod(at(loading, "m/a.yaml"), 0640), 0);
    loading_rest(loading);
    assert_int_equal(utimensat(AT_FDCWD, at(loading, "m/a.yaml"), times, 0), 0);
    loading_rest(loading);
    const char *other = at(loading, "other");
    assert_int_equal(link(at(loading, "m/a.yaml"), other), 0);
    assert_int_equal(chmod(other, 0600), 0);
    assert_int_equal(unlink(other), 0);
    loading_rest(loading);
    assert_int_equal(loading->n_files, n_files);
    write_file(at(loading, "m/a.yaml"), "c");
    loading_until(loading, loading_says(loading, "m/a.yaml", "c"));
}

static void test_slow_creation(void **state)
{
    struct loading *loading = start(state);
    g_autoptr(GString) text = g_string_new(NULL);

    append_services(text, "b,c");
    int fd = open(at(loading, "m/b.yaml"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    loading_run(loading, 1000);
    assert_int_equal(write(fd, text->str, text->len / 2), text->len / 2);
    loading_rest(loading);
    assert_null(loading_of(loading, "m/b.yaml"));
    assert_int_equal(write(fd, text->str + text->len / 2, text->len - text->len / 2),
                     text->len - text->len / 2);
    close(fd);
    loading_until(loading, loading_says(loading, "m/b.yaml", "b,c"));
    assert_int_equal(loading->n_files, 2);
}

static void test_renamed(void **state)
{
    struct loading *loading = start(state);

    put_file(at(loading, "m/a.yaml"), "new");
    loading_until(loading, loading_says(loading, "m/a.yaml", "new"));
    unsigned settled = loading->n_settled;
    rename(at(loading, "m/a.yaml"), at(loading, "m/b.yaml"));
    loading_until(loading, loading_says(loading, "m/b.yaml", "new"));
    assert_null(loading_of(loading, "m/a.yaml"));
    assert_int_equal(loading->n_settled, settled + 1); /* both at once */
    rename(at(loading, "m/b.yaml"), at(loading, "out.yaml"));
    loading_until(loading, !loading_of(loading, "m/b.yaml"));
    rename(at(loading, "out.yaml"), at(loading, "m/c.yaml"));
    loading_until(loading, loading_says(loading, "m/c.yaml", "new"));
}

static void test_removed(void **state)
{
    struct loading *loading = start(state);

    unlink(at(loading, "m/a.yaml"));
    loading_until(loading, !loading_of(loading, "m/a.yaml"));
    assert_null(loading_diagnostics(loading, "m/a.yaml"));
    write_file(at(loading, "m/a.yaml"), "again");
    loading_until(loading, loading_says(loading, "m/a.yaml", "again"));
}

static void test_unchanged(void **state)
{
    struct loading *loading = start(state);

    loading_rest(loading);
    /* Opened for writing and closed, it may have been written to through a mapping. */
    close(open(at(loading, "m/a.yaml"), O_WRONLY | O_CLOEXEC));
    loading_rest(loading);
    unsigned settled = loading->n_settled, files = loading->n_files;
    assert_int_equal(files, 2);
    close(open(at(loading, "m/a.yaml"), O_RDONLY | O_CLOEXEC));
    write_file(at(loading, "m/README.md"), "x");
    loading_rest(loading);
    assert_int_equal(loading->n_settled, settled);
    assert_int_equal(loading->n_files, files);
}

static void test_ignored(void **state)
{
    struct loading *loading = *state;
    static const char *const names[] = {
        ".hidden.yaml",     "a.yaml~",   "#a.yaml#",   "a.yaml.swp",
        "a.yaml.bak",       "a.backup",  "a.yaml.tmp", "a.yaml.rpmsave",
        "a.yaml.dpkg-dist", "README.md", "yaml",       "a.yaml.dpkg-new",
        "a.yaml.dpkg-old",  ".yaml",     "a.YAML",
    };

    loading_add(loading, "m");
    make_directory(at(loading, "m"));
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        write_file(at(loading, "m/%s", names[i]), "no");
    loading_start(loading);
    assert_int_equal(loading->n_files, 0);
    assert_int_equal(loader_ignored(loading->loader, NULL, NULL), G_N_ELEMENTS(names));
    unlink(at(loading, "m/README.md"));
    write_file(at(loading, "m/other.txt"), "no");
    write_file(at(loading, "m/more~"), "no");
    loading_rest(loading);
    assert_int_equal(loader_ignored(loading->loader, NULL, NULL), G_N_ELEMENTS(names) + 1);
    assert_int_equal(loading->n_settled, 1);
}

static void note_why(void *userdata, const char *directory, const char *name, enum loader_why why)
{
    static const char *const whys[] = {
        [LOADER_HIDDEN] = "hidden",
        [LOADER_LEFTOVER] = "leftover",
        [LOADER_OTHER_ENDING] = "ending",
        [LOADER_NOT_RECURSIVE] = "directory",
    };
    assert_true(g_str_has_suffix(directory, "/m"));
    g_ptr_array_add(userdata, g_strdup_printf("%s: %s", name, whys[why]));
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void assert_ignored(struct loading *loading, const char *expected)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    loader_ignored(loading->loader, note_why, lines);
    g_ptr_array_sort(lines, compare_lines);
    g_ptr_array_add(lines, NULL);
    g_autofree char *text = g_strjoinv(", ", (char **)lines->pdata);
    assert_string_equal(text, expected);
}

/* Whether it was there before or comes later. */
static void test_why_names_are_passed_over(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m");
    make_directory(at(loading, "m"));
    make_directory(at(loading, "m/.git"));
    make_directory(at(loading, "m/apps"));
    write_file(at(loading, "m/a.yaml~"), "no");
    write_file(at(loading, "m/b.txt"), "no");
    loading_start(loading);
    assert_ignored(loading, ".git: hidden, a.yaml~: leftover, apps: directory, b.txt: ending");
    make_directory(at(loading, "m/more"));
    write_file(at(loading, "m/.c.yaml"), "no");
    write_file(at(loading, "m/d.tpl"), "no");
    unlink(at(loading, "m/b.txt"));
    loading_rest(loading);
    assert_ignored(loading, ".c.yaml: hidden, .git: hidden, a.yaml~: leftover, apps: directory, "
                            "d.tpl: ending, more: directory");
}

static void test_broken(void **state)
{
    struct loading *loading = start(state);

    write_file(at(loading, "m/b.yaml"), "b");
    loading_until(loading, loading_says(loading, "m/b.yaml", "b"));
    write_file(at(loading, "m/a.yaml"), "!");
    loading_until(loading, loading_is_stale(loading, "m/a.yaml"));
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/a.yaml"), "stays in effect"));
    assert_int_equal(loading->n_settled, 2);
    write_file(at(loading, "m/a.yaml"), "mended");
    loading_until(loading, loading_says(loading, "m/a.yaml", "mended"));
    assert_string_equal(loading_diagnostics(loading, "m/a.yaml"), "");
    assert_false(loading_is_stale(loading, "m/a.yaml"));
    write_file(at(loading, "m/a.yaml"), "!");
    loading_until(loading, loading_is_stale(loading, "m/a.yaml"));
    unlink(at(loading, "m/a.yaml"));
    loading_until(loading, !loading_of(loading, "m/a.yaml"));
}

static void test_broken_at_start(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m");
    make_directory(at(loading, "m"));
    write_file(at(loading, "m/a.yaml"), "!");
    loading_start(loading);
    assert_int_equal(loading->n_files, 0);
    assert_non_null(strstr(loading_diagnostics(loading, "m/a.yaml"), "known yet"));
    assert_false(loading_is_stale(loading, "m/a.yaml"));
}

static void test_too_large(void **state)
{
    struct loading *loading = start(state);

    int fd = open(at(loading, "m/a.yaml"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, (1 << 20) + 1), 0);
    close(fd);
    write_file(at(loading, "m/b.yaml"), "b");
    loading_until(loading, loading_says(loading, "m/b.yaml", "b"));
    loading_until(loading, loading_is_stale(loading, "m/a.yaml"));
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/a.yaml"), "maxFileSize"));
}

/* What is no file is not opened: a FIFO's writer would be woken, a device may do something. */
static void test_special(void **state)
{
    struct loading *loading = start(state);
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    assert_int_equal(mkfifo(at(loading, "m/fifo.yaml"), 0644), 0);
    assert_int_equal(symlink("/dev/zero", at(loading, "m/zero.yaml")), 0);
    make_directory(at(loading, "m/directory.yaml"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, at(loading, "m/socket.yaml"), sizeof(address.sun_path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    write_file(at(loading, "m/b.yaml"), "b");
    loading_until(loading, loading_says(loading, "m/b.yaml", "b"));
    loading_rest(loading);
    assert_non_null(strstr(loading_diagnostics(loading, "m/fifo.yaml"), "FIFO"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/zero.yaml"), "device"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/directory.yaml"), "recursive"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/socket.yaml"), "socket"));
    errno = 0;
    assert_int_equal(open(at(loading, "m/fifo.yaml"), O_WRONLY | O_NONBLOCK | O_CLOEXEC), -1);
    assert_int_equal(errno, ENXIO);

    /* in place of a file it leaves the file's objects in effect */
    assert_int_equal(mkfifo(at(loading, "m/fifo.tmp"), 0644), 0);
    assert_int_equal(rename(at(loading, "m/fifo.tmp"), at(loading, "m/a.yaml")), 0);
    loading_until(loading, loading_is_stale(loading, "m/a.yaml"));
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    put_file(at(loading, "m/fifo.yaml"), "file");
    rmdir(at(loading, "m/directory.yaml"));
    loading_until(loading, loading_says(loading, "m/fifo.yaml", "file"));
    loading_until(loading, !loading_diagnostics(loading, "m/directory.yaml"));
}

/* Changes that never end must not put off for ever what is known. */
static void test_restless(void **state)
{
    struct loading *loading = start(state);
    unsigned settled = loading->n_settled, i;

    for (i = 0; i < 100000 && loading->n_settled < settled + 5; i++) {
        put_file(at(loading, "m/%u.yaml", i % 100), "x");
        loading_run(loading, 0);
    }
    assert_true(i < 100000);
}

static int on_busy(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    unsigned *n = userdata;

    (void)source;
    (void)fd;
    (void)revents;
    ++*n;
    return 0;
}

/* Work continues although another source is always ready; and that one is served now and then. */
static void test_busy_loop(void **state)
{
    struct loading *loading = start(state);
    sd_event_source *source;
    unsigned n = 0;

    int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(sd_event_add_io(loading->event, &source, fd, EPOLLIN, on_busy, &n) >= 0);
    for (unsigned i = 0; i < 1000; i++)
        write_file(at(loading, "m/%u.yaml", i), "x");
    loading_until(loading, g_hash_table_size(loading->told) == 1001);
    loading_until(loading, n > 0);
    sd_event_source_disable_unref(source);
    close(fd);
}

static struct config_directory *configured(struct loading *loading, unsigned i)
{
    return loading->config.manifests->pdata[i];
}

static void reload(struct loading *loading)
{
    loader_reload(loading->loader, &loading->config);
}

/* Two directories, the first of which is then no longer listed: the other one's rank changes, also
 * of what cannot be read. */
static struct loading *start_reload(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m");
    loading_add(loading, "n");
    make_directory(at(loading, "m"));
    make_directory(at(loading, "n"));
    write_file(at(loading, "m/a.yaml"), "a");
    write_file(at(loading, "n/b.yaml"), "b");
    write_file(at(loading, "n/c.yaml"), "c");
    loading_start(loading);
    /* once more, in another tick of the clock */
    loading_rest(loading);
    reload(loading);
    loading_rest(loading);
    g_string_truncate(loading->calls, 0);
    return loading;
}

static void test_reload_rank(void **state)
{
    struct loading *loading = start_reload(state);

    write_file(at(loading, "n/c.yaml"), "!");
    loading_until(loading, loading_is_stale(loading, "n/c.yaml"));
    g_ptr_array_remove_index(loading->config.manifests, 0);
    reload(loading);
    loading_until(loading, !loading_of(loading, "m/a.yaml"));
    loading_rest(loading);
    assert_string_equal(loading_all(loading), "0 n/b.yaml: b\n0 n/c.yaml: c\n");
    assert_true(loading_is_stale(loading, "n/c.yaml"));
    assert_null(loading_diagnostics(loading, "m/a.yaml"));
    write_file(at(loading, "n/c.yaml"), "c,d");
    loading_until(loading, loading_says(loading, "n/c.yaml", "c,d"));
    assert_string_equal(loading_all(loading), "0 n/b.yaml: b\n0 n/c.yaml: c,d\n");
}

static void test_reload_limit(void **state)
{
    struct loading *loading = start_reload(state);

    write_file(at(loading, "n/c.yaml"), "c,d");
    loading_rest(loading);
    reload(loading);
    loading_rest(loading);
    g_string_truncate(loading->calls, 0);
    reload(loading); /* nothing has changed */
    loading_rest(loading);
    assert_string_equal(loading->calls->str, "");
    loading->config.max_file_size = 120;
    reload(loading);
    loading_until(loading, loading_is_stale(loading, "n/c.yaml"));
    loading->config.max_file_size = 1000;
    reload(loading);
    loading_until(loading, !loading_is_stale(loading, "n/c.yaml"));
    loading_rest(loading);
    assert_null(strstr(loading->calls->str, "b.yaml"));
}

/* Written while the clock was wrong: that is no reason to read it again and again. */
static void test_reload_future(void **state)
{
    struct loading *loading = start_reload(state);
    const struct timespec times[] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};

    assert_int_equal(utimensat(AT_FDCWD, at(loading, "n/c.yaml"), times, 0), 0);
    loading_rest(loading);
    reload(loading);
    loading_rest(loading);
    g_string_truncate(loading->calls, 0);
    reload(loading);
    loading_rest(loading);
    assert_string_equal(loading->calls->str, "");
}

static void test_reload_options(void **state)
{
    struct loading *loading = start_reload(state);

    configured(loading, 1)->ns = g_strdup("other");
    reload(loading);
    loading_until(loading, strstr(loading->calls->str, "b.yaml") != NULL);
    loading_rest(loading);
    assert_non_null(strstr(loading->calls->str, "c.yaml"));
    assert_null(strstr(loading->calls->str, "a.yaml"));
    configured(loading, 1)->allocate = false;
    configured(loading, 1)->allocate_given = true;
    configured(loading, 1)->recursive = true;
    make_directory(at(loading, "n/below"));
    write_file(at(loading, "n/below/e.yaml"), "e");
    reload(loading);
    loading_until(loading, loading_says(loading, "n/below/e.yaml", "e"));
    configured(loading, 1)->recursive = false;
    reload(loading);
    loading_until(loading, !loading_of(loading, "n/below/e.yaml"));
    assert_true(loading_says(loading, "n/b.yaml", "b"));
}

/* One directory configured twice is two sources. */
static void test_twice(void **state)
{
    struct loading *loading = *state;

    loading_add(loading, "m");
    loading_add(loading, "m");
    loading_add(loading, "l");
    make_directory(at(loading, "m"));
    assert_int_equal(symlink("m", at(loading, "l")), 0);
    write_file(at(loading, "m/a.yaml"), "a");
    loading_start(loading);
    assert_string_equal(loading_all(loading), "0 m/a.yaml: a\n1 m/a.yaml: a\n2 l/a.yaml: a\n");
    put_file(at(loading, "m/a.yaml"), "b");
    loading_until(loading, loading_says(loading, "l/a.yaml", "b"));
    assert_string_equal(loading_all(loading), "0 m/a.yaml: b\n1 m/a.yaml: b\n2 l/a.yaml: b\n");
    unlink(at(loading, "m/a.yaml"));
    loading_until(loading, g_hash_table_size(loading->told) == 0);
}

/* The number of objects of all files together is limited. Refused ones follow as soon as there is
 * room, whatever made it; and a file's own objects make room for its next ones. */
static void test_more_than_there_is_room_for(void **state)
{
    struct loading *loading = start(state);
    GHashTableIter iter;
    gpointer source;

    g_hash_table_iter_init(&iter, loading->told);
    assert_true(g_hash_table_iter_next(&iter, &source, NULL));
    struct account *account = account_ref(((const struct source *)source)->account);
    account->used.objects += ACCOUNT_OBJECTS_MAX - 3;
    write_file(at(loading, "m/b.yaml"), "b,c,d,e,f");
    loading_until(loading, loading_says(loading, "m/b.yaml", "b,c,d"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/b.yaml"),
                           "all manifests together have more than 524288 objects"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/b.yaml"), "Service default/e"));
    assert_int_equal(account->n_refusing, 1);
    assert_true(loading_says(loading, "m/a.yaml", "a"));

    account->used.objects += 3; /* where they are kept */
    loader_relieve(loading->loader);
    loading_rest(loading);
    assert_true(loading_says(loading, "m/b.yaml", "b,c,d"));

    account->used.objects -= 4;
    loader_relieve(loading->loader);
    loading_until(loading, loading_says(loading, "m/b.yaml", "b,c,d,e"));
    account->used.objects = 0;
    loader_relieve(loading->loader);
    loading_until(loading, loading_says(loading, "m/b.yaml", "b,c,d,e,f"));
    assert_string_equal(loading_diagnostics(loading, "m/b.yaml"), "");
    assert_int_equal(account->n_refusing, 0);

    account->used.objects = ACCOUNT_OBJECTS_MAX;
    write_file(at(loading, "m/c.yaml"), "x");
    loading_until(loading, account->n_refusing == 1);
    unlink(at(loading, "m/c.yaml"));
    loading_until(loading, account->n_refusing == 0);
    account_unref(account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
        TEST(nothing),
        TEST(first_look),
        TEST(created),
        TEST(in_place),
        TEST(touched),
        TEST(slow_creation),
        TEST(renamed),
        TEST(removed),
        TEST(unchanged),
        TEST(ignored),
        TEST(broken),
        TEST(broken_at_start),
        TEST(too_large),
        TEST(special),
        TEST(restless),
        TEST(busy_loop),
        TEST(reload_rank),
        TEST(reload_limit),
        TEST(reload_options),
        TEST(reload_future),
        TEST(twice),
        TEST(why_names_are_passed_over),
        TEST(more_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
