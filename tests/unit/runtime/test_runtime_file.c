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
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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
    assert_true(runtime_file_look(file, FOLDER_CHANGED, take_since, &since, no_sightings, NULL));
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

static int count(void *userdata, const struct runtime_text *text, GPtrArray *sightings,
                 char **problemp)
{
    unsigned *n = userdata;

    (void)text;
    (void)sightings;
    (void)problemp;
    (*n)++;
    return PARSE_DONE;
}

struct touching {
    char path[32];
    int fd;
    struct folder *folder;
    struct runtime_file *file;
    unsigned n; /* times it was read */
};

static void look(struct touching *touching, enum folder_reason reason)
{
    assert_true(runtime_file_look(touching->file, reason, count, &touching->n, no_sightings, NULL));
}

/* A file that is old enough for its look to be relied upon. */
static void begin(struct touching *touching)
{
    *touching = (struct touching){.path = "/tmp/kubesvc-XXXXXX"};
    touching->fd = mkstemp(touching->path);
    assert_true(touching->fd >= 0);
    touching->folder = folder_new(NULL, "/tmp", false, &(struct folder_callbacks){0});
    touching->file = runtime_file_new(touching->folder, touching->path + strlen("/tmp/"), false);
    do
        look(touching, FOLDER_CHANGED);
    while (!touching->file->has_seen);
    touching->n = 0;
}

static void end(struct touching *touching)
{
    runtime_file_free(touching->file);
    folder_free(touching->folder);
    assert_int_equal(unlink(touching->path), 0);
    close(touching->fd);
}

static void other_attributes_are_not_read(void **state)
{
    struct touching touching;

    (void)state;
    begin(&touching);
    assert_int_equal(fchmod(touching.fd, 0644), 0);
    look(&touching, FOLDER_TOUCHED);
    look(&touching, FOLDER_SCANNED);
    assert_int_equal(touching.n, 0);
    end(&touching);
}

/* What changes the content is told when the file is closed. */
static void a_file_that_is_written_is_not_read(void **state)
{
    struct touching touching;

    (void)state;
    begin(&touching);
    assert_int_equal(write(touching.fd, "half", 4), 4);
    look(&touching, FOLDER_TOUCHED);
    assert_int_equal(touching.n, 0);
    look(&touching, FOLDER_SCANNED);
    assert_int_equal(touching.n, 1);
    end(&touching);
}

static void as_nobody(void (*run)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (getuid() == 0 && setuid(65534) < 0)
            _exit(1);
        run();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void be_refused(void)
{
    struct touching touching;

    begin(&touching);
    assert_int_equal(fchmod(touching.fd, 0), 0);
    look(&touching, FOLDER_TOUCHED);
    assert_non_null(strstr(touching.file->problem, "Permission denied"));
    assert_int_equal(fchmod(touching.fd, 0600), 0);
    look(&touching, FOLDER_TOUCHED);
    assert_null(touching.file->problem);
    assert_int_equal(touching.n, 1);
    end(&touching);
}

static void permissions_are_noticed(void **state)
{
    (void)state;
    as_nobody(be_refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_ordered),
        cmocka_unit_test(other_attributes_are_not_read),
        cmocka_unit_test(a_file_that_is_written_is_not_read),
        cmocka_unit_test(permissions_are_noticed),
    };

    return cmocka_run_group_tests_name("runtime_file", tests, NULL, NULL);
}
