/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The library cache, judged by ldconfig: what it reads of ours is what it reads of the system's,
 * and one library more, in its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/library_cache.h"
#include "tests/unit/skip_test.h"

#define CACHE "/etc/ld.so.cache"
#define NAME "libnss_kubesvc.so.2"
#define PATH "/nonexistent/build/libnss_kubesvc.so.2"

static const char *own_libc(void)
{
    Dl_info info;
    assert_int_not_equal(dladdr((const void *)(uintptr_t)&getenv, &info), 0);
    return info.dli_fname;
}

static GBytes *read_cache(void)
{
    char *text;
    gsize size;
    if (!g_file_get_contents(CACHE, &text, &size, NULL))
        skip_test("there is no " CACHE);
    return g_bytes_new_take(text, size);
}

static char *find_ldconfig(void)
{
    char *ldconfig = g_find_program_in_path("ldconfig");
    return ldconfig ? ldconfig : g_strdup("/sbin/ldconfig");
}

/* The lines of `ldconfig -p`, without the first, which counts them. */
static char **list(GBytes *cache)
{
    g_autofree char *ldconfig = find_ldconfig(), *out = NULL, *path = NULL;
    gsize size;
    const char *bytes = g_bytes_get_data(cache, &size);
    int fd = g_file_open_tmp("cache-XXXXXX", &path, NULL);
    assert_true(fd >= 0 && g_close(fd, NULL));
    assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
    char *argv[] = {ldconfig, (char[]){"-p"}, (char[]){"-C"}, path, NULL};
    int status;
    assert_true(g_spawn_sync(NULL, argv, NULL, 0, NULL, NULL, &out, NULL, &status, NULL));
    assert_int_equal(status, 0);
    g_unlink(path);
    return g_strsplit(strchr(out, '\n') + 1, "\n", -1);
}

/* Without the lines of the library in question. */
static GPtrArray *others(char **lines)
{
    GPtrArray *kept = g_ptr_array_new();
    for (; lines && *lines; lines++)
        if (!strstr(*lines, "\t" NAME " "))
            g_ptr_array_add(kept, *lines);
    return kept;
}

/* False: the format is another one. */
static bool adds_one(void)
{
    g_autoptr(GBytes) old = read_cache(), new = library_cache_add(old, NAME, PATH, own_libc());
    if (!new)
        return false;
    g_auto(GStrv) before = list(old), after = list(new);
    g_autoptr(GPtrArray) a = others(before), b = others(after);
    assert_int_equal(a->len, b->len);
    for (guint i = 0; i < a->len; i++)
        assert_string_equal(a->pdata[i], b->pdata[i]);
    unsigned at = 0;
    while (after[at] && !strstr(after[at], "\t" NAME " "))
        at++;
    assert_non_null(after[at]);
    assert_non_null(strstr(after[at], "=> " PATH)); /* the first of the name */
    /* a second one takes the place before it */
    g_autoptr(GBytes) third = library_cache_add(new, NAME, "/nonexistent/2", own_libc());
    g_auto(GStrv) last = list(third);
    assert_non_null(strstr(last[at], "=> /nonexistent/2"));
    assert_string_equal(last[at + 1], after[at]);
    return true;
}

/* Skipping jumps out of a function, whose variables would not be freed. */
static void one_more(void **state)
{
    (void)state;
    if (!adds_one())
        skip_test("the format of " CACHE " is another one");
}

static void copy(const char *from, const char *directory)
{
    g_autofree char *name = g_path_get_basename(from), *text = NULL;
    g_autofree char *to = g_build_filename(directory, name, NULL);
    gsize size;
    assert_int_equal(g_mkdir_with_parents(directory, 0700), 0);
    assert_true(g_file_get_contents(from, &text, &size, NULL));
    assert_true(g_file_set_contents(to, text, (gssize)size, NULL));
}

/* False: ldconfig made no cache of them. */
static bool adds_to_a_cache_of_v3(void)
{
    g_autofree char *directory = g_dir_make_tmp("cache-XXXXXX", NULL), *text = NULL;
    g_autofree char *v2 = g_build_filename(directory, "glibc-hwcaps", "x86-64-v2", NULL);
    g_autofree char *v3 = g_build_filename(directory, "glibc-hwcaps", "x86-64-v3", NULL);
    g_autofree char *file = g_build_filename(directory, "cache", NULL);
    g_autofree char *list_file = g_build_filename(directory, "conf", NULL);
    g_autofree char *ldconfig = find_ldconfig(), *own = g_path_get_dirname(own_libc());
    g_autofree char *conf = g_strdup_printf("%s\n%s\n", directory, own);
    char *argv[] = {ldconfig, (char[]){"-X"}, (char[]){"-C"}, file, (char[]){"-f"}, list_file,
                    NULL};
    char *clean[] = {(char[]){"rm"}, (char[]){"-r"}, directory, NULL};
    gsize size;
    int status;
    copy(own_libc(), v2);
    copy(own_libc(), v3);
    assert_true(g_file_set_contents(list_file, conf, -1, NULL));
    assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                             &status, NULL));
    bool made = status == 0 && g_file_get_contents(file, &text, &size, NULL);
    g_autoptr(GBytes) old = made ? g_bytes_new(text, size) : NULL;
    g_autoptr(GBytes) new = old ? library_cache_add(old, NAME, PATH, own_libc()) : NULL;
    g_auto(GStrv) before = old ? list(old) : NULL, after = new ? list(new) : NULL;
    assert_true(g_spawn_sync(NULL, clean, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                             &status, NULL));
    g_autofree char *listed = before ? g_strjoinv("\n", before) : NULL;
    if (!new || !strstr(listed, "x86-64-v3"))
        return false;
    g_autoptr(GPtrArray) a = others(before), b = others(after);
    assert_int_equal(a->len, b->len);
    assert_int_equal(g_strv_length(after), g_strv_length(before) + 1);
    for (guint i = 0; i < a->len; i++)
        assert_string_equal(a->pdata[i], b->pdata[i]);
    return true;
}

/* Libraries for some processors only, whose names are in the cache's extension. */
static void of_some_processors(void **state)
{
    (void)state;
    if (!adds_to_a_cache_of_v3())
        skip_test("ldconfig makes no cache of x86-64-v3 here");
}

/* False: the format is another one. */
static bool adds_at_the_ends(void)
{
    static const char *const names[] = {"zzz.so", "a.so", "libc.so.6", "lib10.so", "lib9.so"};
    g_autoptr(GBytes) cache = read_cache();
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        GBytes *next = library_cache_add(cache, names[i], PATH, own_libc());
        if (!next)
            return false;
        g_bytes_unref(cache);
        cache = next;
    }
    g_auto(GStrv) lines = list(cache);
    unsigned n = g_strv_length(lines);
    assert_non_null(strstr(lines[0], "\tzzz.so "));
    while (n > 0 && !strstr(lines[n - 1], "\ta.so "))
        n--;
    assert_int_not_equal(n, 0);
    unsigned ten = 0, nine = 0;
    for (unsigned i = 0; lines[i]; i++) {
        ten = strstr(lines[i], "\tlib10.so ") ? i : ten;
        nine = strstr(lines[i], "\tlib9.so ") ? i : nine;
    }
    assert_true(ten < nine); /* numbers by their value, descending */
    return true;
}

static void at_the_ends(void **state)
{
    (void)state;
    if (!adds_at_the_ends())
        skip_test("the format of " CACHE " is another one");
}

/* Cut anywhere and with bytes changed: there is an answer or none, and nothing else happens. */
static void broken(void **state)
{
    g_autoptr(GBytes) whole = read_cache(), answer = NULL;
    gsize size;
    const char *bytes = g_bytes_get_data(whole, &size);
    (void)state;
    for (gsize cut = 0; cut < size; cut += 1 + size / 300) {
        g_autofree char *copy = g_memdup2(bytes, size);
        g_autoptr(GBytes) part = g_bytes_new(bytes, cut);
        g_clear_pointer(&answer, g_bytes_unref);
        answer = library_cache_add(part, NAME, PATH, own_libc());
        memset(copy + cut, 0xff, MIN(8, size - cut));
        g_autoptr(GBytes) other = g_bytes_new(copy, size);
        g_clear_pointer(&answer, g_bytes_unref);
        answer = library_cache_add(other, NAME, PATH, own_libc());
    }
    g_autoptr(GBytes) none = library_cache_add(whole, NAME, PATH, "/nonexistent/libc.so.6");
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_more),
                                       cmocka_unit_test(of_some_processors),
                                       cmocka_unit_test(at_the_ends), cmocka_unit_test(broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
