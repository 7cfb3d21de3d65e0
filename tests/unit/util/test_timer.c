/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Timers in a real event loop: when they ring, and how often.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/util/timer.h"

struct scene {
    sd_event *event;
    sd_event_source *timer;
    unsigned rings;
};

static int on_ring(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct scene *scene = userdata;

    (void)source, (void)usec;
    scene->rings++;
    return 0;
}

static int setup(void **state)
{
    static struct scene scene;

    scene = (struct scene){0};
    assert_int_equal(sd_event_new(&scene.event), 0);
    assert_int_equal(timer_new(&scene.timer, scene.event, 1, on_ring, &scene), 0);
    *state = &scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;

    sd_event_source_disable_unref(scene->timer);
    sd_event_unref(scene->event);
    return 0;
}

static void a_new_timer_does_not_run(void **state)
{
    const struct scene *scene = *state;

    assert_int_equal(sd_event_source_get_enabled(scene->timer, NULL), 0);
    assert_int_equal(sd_event_run(scene->event, 10000), 0);
    assert_int_equal(scene->rings, 0);
}

static void it_rings_once_for_each_start(void **state)
{
    const struct scene *scene = *state;

    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(timer_start(scene->timer, 1000), 0);
        while (scene->rings < i)
            assert_true(sd_event_run(scene->event, UINT64_MAX) >= 0);
        assert_int_equal(sd_event_run(scene->event, 10000), 0);
        assert_int_equal(scene->rings, i);
    }
}

static void the_last_start_counts(void **state)
{
    const struct scene *scene = *state;

    assert_int_equal(timer_start(scene->timer, 0), 0);
    assert_int_equal(timer_start(scene->timer, UINT64_C(3600000000)), 0);
    assert_int_equal(sd_event_run(scene->event, 10000), 0);
    assert_int_equal(scene->rings, 0);
    assert_true(sd_event_source_get_enabled(scene->timer, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_timer_does_not_run, setup, teardown),
        cmocka_unit_test_setup_teardown(it_rings_once_for_each_start, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_start_counts, setup, teardown),
    };

    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
