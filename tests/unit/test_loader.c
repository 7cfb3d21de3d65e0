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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "loading.h"

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

    /* Read in the same tick of the clock as it was written, it may be read once more. */
    close(open(at(loading, "m/a.yaml"), O_WRONLY | O_CLOEXEC));
    loading_rest(loading);
    unsigned settled = loading->n_settled, files = loading->n_files;
    assert_true(files <= 2);
    /* opened for writing and closed, but nothing was written */
    close(open(at(loading, "m/a.yaml"), O_WRONLY | O_CLOEXEC));
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

static void test_broken(void **state)
{
    struct loading *loading = start(state);

    write_file(at(loading, "m/b.yaml"), "b");
    loading_until(loading, loading_says(loading, "m/b.yaml", "b"));
    write_file(at(loading, "m/a.yaml"), "!");
    loading_until(loading, loading_is_stale(loading, "m/a.yaml"));
    assert_true(loading_says(loading, "m/a.yaml", "a"));
    assert_non_null(strstr(loading_diagnostics(loading, "m/a.yaml"), "stays in force"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
        TEST(nothing),       TEST(first_look), TEST(created),         TEST(in_place),
        TEST(slow_creation), TEST(renamed),    TEST(removed),         TEST(unchanged),
        TEST(ignored),       TEST(broken),     TEST(broken_at_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
