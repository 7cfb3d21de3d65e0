/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random operations on directories, links and files, as fast as they can be done while the loader
 * runs. Whenever it has come to rest it must know what a loader that starts then finds. The seed is
 * printed; KUBESVC_TEST_SEED repeats a run.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/loading.h"

#define ROUNDS 60
#define OPERATIONS 40

static int set_up(void **state)
{
    *state = loading_new();
    return 0;
}

static int tear_down(void **state)
{
    loading_free(*state);
    return 0;
}

static unsigned number;

static const char *any(struct loading *loading, GRand *random)
{
    static const char *const directories[] = {"m", "m/x", "m/x/y", "m/z.yaml", "n", "t", "t/x"};
    static const char *const names[] = {"a.yaml", "b.yml", "c.json", "d.yaml~", "x", "z.yaml", "l"};

    const char *directory = directories[g_rand_int_range(random, 0, G_N_ELEMENTS(directories))];
    if (g_rand_int_range(random, 0, 8) == 0)
        return at(loading, "%s", directory);
    const char *name = names[g_rand_int_range(random, 0, G_N_ELEMENTS(names))];
    return at(loading, "%s/%s", directory, name);
}

static void write_any(const char *path, int flags)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *name = g_strdup_printf("s%u", ++number);
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return;
    append_services(text, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    if (fd < 0)
        return;
    /* in two parts, the first of which is good YAML */
    (void)!write(fd, text->str, text->len);
    if (number % 4 == 0)
        (void)!write(fd, "---\n", 4);
    close(fd);
}

static void put_any(struct loading *loading, const char *path)
{
    const char *temporary = at(loading, "temporary");

    write_any(temporary, O_TRUNC);
    (void)rename(temporary, path);
}

static void link_any(struct loading *loading, GRand *random, const char *path)
{
    const char *target = any(loading, random);
    const char *temporary = at(loading, "temporary-link");

    if (g_rand_boolean(random)) {
        (void)!symlink(target, path);
    } else if (symlink(target, temporary) == 0 && rename(temporary, path) < 0) {
        unlink(temporary);
    }
}

static void operate(struct loading *loading, GRand *random)
{
    const char *path = any(loading, random), *other = any(loading, random);

    switch (g_rand_int_range(random, 0, 16)) {
    case 0:
    case 1:
    case 2: write_any(path, O_TRUNC); break;
    case 3: write_any(path, O_APPEND); break;
    case 4:
    case 5: put_any(loading, path); break;
    case 6:
    case 7: (void)rename(path, other); break;
    case 8: (void)renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE); break;
    case 9: unlink(path); break;
    case 10: remove_tree(path); break;
    case 11:
    case 12: (void)mkdir(path, 0755); break;
    case 13: link_any(loading, random, path); break;
    case 14:
        /* inotify does not report to a directory that a file in it got another name: without the
         * second call, writing through that one is seen by the periodic rescan only */
        if (link(path, other) == 0)
            (void)utimensat(AT_FDCWD, path, NULL, 0);
        break;
    default:
        (void)utimensat(AT_FDCWD, path, NULL, 0);
        close(open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC));
        break;
    }
}

/* What a loader that starts now finds. */
static char *find_afresh(const struct loading *loading)
{
    struct loading *fresh = loading_new();

    for (unsigned i = 0; i < loading->config.manifests->len; i++) {
        const struct config_directory *directory = loading->config.manifests->pdata[i];
        struct config_directory *same = loading_add(fresh, "");
        g_free(same->path);
        same->path = g_strdup(directory->path);
        same->recursive = directory->recursive;
    }
    loading_start(fresh);
    /* its paths are not below its own directory, and so are shown as they are */
    g_auto(GStrv) parts = g_strsplit(loading_all(fresh), loading->directory, -1);
    for (char **part = parts + 1; parts[0] && *part; part++)
        memmove(*part, *part + 1, strlen(*part));
    char *all = g_strjoinv("", parts);
    loading_free(fresh);
    return all;
}

static void collect_amiss(void *userdata, const struct loader_file_status *status)
{
    if (status->diagnostics && status->diagnostics->len > 0)
        g_hash_table_add(userdata, g_strdup(status->path));
}

/* Can this file or a directory on the way to it not be read now? */
static bool is_amiss(GHashTable *amiss, const char *path)
{
    g_autofree char *prefix = g_strdup(path);

    for (char *slash; (slash = strrchr(prefix, '/')); *slash = '\0') {
        if (g_hash_table_contains(amiss, prefix))
            return true;
    }
    return false;
}

/* What it knows, except files that are unreadable now: it keeps their last good content, which the
 * other one cannot know. */
static char *find_known(struct loading *loading)
{
    g_autoptr(GHashTable) amiss = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_auto(GStrv) lines = g_strsplit(loading_all(loading), "\n", -1);
    GString *known = g_string_new(NULL);

    loader_status(loading->loader, collect_amiss, amiss);
    for (char **line = lines; *line && **line; line++) {
        const char *path = strchr(*line, ' ') + 1;
        g_autofree char *name = g_strndup(path, (size_t)(strrchr(path, ':') - path));
        if (!is_amiss(amiss, at(loading, "%s", name)))
            g_string_append_printf(known, "%s\n", *line);
    }
    return g_string_free(known, FALSE);
}

static bool is_known(struct loading *loading, const char *expected)
{
    g_autofree char *known = find_known(loading);

    return strcmp(known, expected) == 0;
}

static void check(struct loading *loading, unsigned seed, unsigned round)
{
    gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    g_autofree char *expected = find_afresh(loading);

    while (!is_known(loading, expected)) {
        if (g_get_monotonic_time() > until)
            fail_msg("seed %u, round %u: known:\n%s\nthere:\n%s\nin %s", seed, round,
                     loading_all(loading), expected, loading->directory);
        loading_run(loading, 100000);
    }
    loading_rest(loading);
    assert_true(is_known(loading, expected));
}

static void test_torture(void **state)
{
    struct loading *loading = *state;
    const char *given = g_getenv("KUBESVC_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : g_random_int();
    GRand *random = g_rand_new_with_seed(seed);

    print_message("seed %u\n", seed);
    loading_add(loading, "m")->recursive = true;
    loading_add(loading, "n");
    loading_add(loading, "link");
    loading_add(loading, "t/a.yaml");
    make_directory(at(loading, "m"));
    make_directory(at(loading, "t"));
    assert_int_equal(symlink("m/x", at(loading, "link")), 0);
    loading_start(loading);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned n = (unsigned)g_rand_int_range(random, 1, OPERATIONS);
        for (unsigned i = 0; i < n; i++) {
            operate(loading, random);
            if (g_rand_boolean(random))
                loading_run(loading, 0);
        }
        check(loading, seed, round);
    }
    assert_int_equal(loading->unordered, 0);
    assert_int_equal(loading->n_first, 1);
    g_rand_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_torture, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
