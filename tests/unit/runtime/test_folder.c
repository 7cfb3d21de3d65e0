/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A directory of a runtime with more in it than is looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/runtime/folder.h"
#include "tests/unit/skip_test.h"

static void on_wake(void *userdata)
{
    (void)userdata;
}

static bool count(void *userdata, const char *name, enum folder_reason reason, void **datap)
{
    unsigned *n = userdata;

    (void)name;
    (void)reason;
    (void)datap;
    (*n)++;
    return true;
}

static void ignore(void *userdata)
{
    (void)userdata;
}

static void has(int directory, unsigned from, unsigned to, bool there)
{
    char name[16];

    for (unsigned i = from; i < to; i++) {
        (void)snprintf(name, sizeof(name), "%u", i);
        if (there)
            assert_int_equal(mknodat(directory, name, S_IFREG | 0600, 0), 0);
        else
            assert_int_equal(unlinkat(directory, name, 0), 0);
    }
}

static void more_than_is_looked_at(void **state)
{
    char path[] = "/dev/shm/kubesvc-XXXXXX"; /* in memory: there are many */
    sd_event *event = NULL;
    unsigned n = 0;

    (void)state;
    if (!mkdtemp(path))
        skip_test("there is no /dev/shm");
    int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(sd_event_new(&event), 0);
    struct watch *watch =
        watch_new(event, &(struct watch_handlers){"files", WATCH_POLLING, ignore, ignore, NULL});
    struct folder *folder =
        folder_new(watch, path, false, &(struct folder_callbacks){on_wake, count, NULL, &n});

    has(directory, 0, FOLDER_ENTRIES_MAX, true);
    folder_run(folder);
    assert_int_equal(n, FOLDER_ENTRIES_MAX);
    assert_int_equal(folder_error(folder), 0);
    has(directory, FOLDER_ENTRIES_MAX, FOLDER_ENTRIES_MAX + 1, true);
    folder_rescan(folder);
    folder_run(folder);
    assert_int_equal(n, 2 * FOLDER_ENTRIES_MAX);
    assert_int_equal(folder_error(folder), E2BIG);

    folder_free(folder);
    watch_free(watch);
    sd_event_unref(event);
    has(directory, 0, FOLDER_ENTRIES_MAX + 1, false);
    close(directory);
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(more_than_is_looked_at)};

    return cmocka_run_group_tests_name("folder", tests, NULL, NULL);
}
