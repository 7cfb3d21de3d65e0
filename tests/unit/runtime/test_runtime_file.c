/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading one file of a runtime: what its parser is told about it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/runtime/runtime.h"

static int take_since(void *userdata, const struct runtime_text *text, GPtrArray *sightings,
                      char **problemp)
{
    int64_t *since = userdata;

    (void)sightings;
    (void)problemp;
    *since = text->since;
    return PARSE_DONE;
}

static void no_sightings(void *userdata, const void *file, GPtrArray *sightings)
{
    (void)userdata;
    (void)file;
    (void)sightings;
    fail_msg("the file has none");
}

/* The time of a file that was last modified in that second. */
static int64_t since_of(time_t second)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = second}};
    char path[] = "/tmp/kubesvc-XXXXXX";
    int fd = mkstemp(path);
    struct folder *folder = folder_new(NULL, "/tmp", false, &(struct folder_callbacks){0});
    struct runtime_file *file = runtime_file_new(folder, path + strlen("/tmp/"), false);
    int64_t since = 0;

    assert_true(fd >= 0);
    assert_int_equal(futimens(fd, times), 0);
    assert_true(runtime_file_look(file, true, take_since, &since, no_sightings, NULL));
    runtime_file_free(file);
    folder_free(folder);
    assert_int_equal(unlink(path), 0);
    close(fd);
    return since;
}

/* ext4 knows times until the year 2446, tmpfs any; nanoseconds fit into 64 bits until 2262. */
static void times_are_ordered(void **state)
{
    int64_t past = since_of(-1000), now = since_of(1000), far = since_of(INT64_C(10000000000));

    (void)state;
    assert_true(past < now);
    assert_int_equal(now, INT64_C(1000000000000));
    assert_true(now < far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times_are_ordered)};

    return cmocka_run_group_tests_name("runtime_file", tests, NULL, NULL);
}
