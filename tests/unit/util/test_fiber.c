/*
 * A fiber: turns by the clock, state that survives them, arrays sorted and emptied on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/util/fiber.h"

#define PAST INT64_MIN
#define NEVER INT64_MAX

struct job {
    struct fiber *fiber;
    unsigned rounds; /* to go */
    unsigned done;
    uint64_t sum;
};

static struct fiber *new_fiber(void)
{
    struct fiber *fiber = NULL;
    assert_int_equal(fiber_new(&fiber), 0);
    return fiber;
}

/* Its locals live on the fiber's stack from one turn to the next. */
static void add_up(void *userdata)
{
    struct job *job = userdata;
    volatile uint64_t sums[512] = {0};
    for (unsigned i = 0; i < job->rounds; i++) {
        sums[i % 512] += i;
        job->done++;
        fiber_breathe(job->fiber);
    }
    for (unsigned i = 0; i < 512; i++)
        job->sum += sums[i];
}

static void a_turn_ends_when_it_is_late(void **state)
{
    (void)state;
    struct job job = {.fiber = new_fiber(), .rounds = 1000};
    for (unsigned turn = 1; turn <= 1000; turn++) {
        assert_false(fiber_run(job.fiber, add_up, &job, PAST));
        assert_true(fiber_is_amid(job.fiber));
        assert_int_equal(job.done, turn);
    }
    assert_true(fiber_run(job.fiber, add_up, &job, PAST));
    assert_false(fiber_is_amid(job.fiber));
    assert_int_equal(job.sum, 999 * 1000 / 2);
    fiber_free(job.fiber);
}

static void in_time_it_runs_to_its_end(void **state)
{
    (void)state;
    struct job job = {.fiber = new_fiber(), .rounds = 1000};
    assert_true(fiber_run(job.fiber, add_up, &job, NEVER));
    assert_int_equal(job.done, 1000);
    /* And again, from the start, late and in time in turn. */
    assert_false(fiber_run(job.fiber, add_up, &job, PAST));
    assert_int_equal(job.done, 1001);
    assert_true(fiber_run(job.fiber, add_up, &job, NEVER));
    assert_int_equal(job.done, 2000);
    fiber_free(job.fiber);
}

static void without_a_fiber_nothing_gives_way(void **state)
{
    (void)state;
    struct job job = {.rounds = 1000};
    assert_true(fiber_run(NULL, add_up, &job, PAST));
    assert_false(fiber_is_amid(NULL));
    assert_int_equal(job.done, 1000);
    /* Nor on one that is not running. */
    struct fiber *fiber = new_fiber();
    fiber_breathe(fiber);
    fiber_tick(fiber);
    assert_false(fiber_is_amid(fiber));
    fiber_free(fiber);
}

static void tick(void *userdata)
{
    struct job *job = userdata;
    for (unsigned i = 0; i < job->rounds; i++) {
        job->done++;
        fiber_tick(job->fiber);
    }
}

static void ticks_look_at_the_clock_now_and_then(void **state)
{
    (void)state;
    struct job job = {.fiber = new_fiber(), .rounds = 10000};
    unsigned turns = 0;
    while (!fiber_run(job.fiber, tick, &job, PAST))
        turns++;
    assert_int_equal(job.done, 10000);
    assert_in_range(turns, 100, 1000);
    fiber_free(job.fiber);
}

struct array {
    struct fiber *fiber;
    GArray *numbers;
};

static gint compare(gconstpointer a, gconstpointer b)
{
    const unsigned *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void sort(void *userdata)
{
    const struct array *array = userdata;
    fiber_sort(array->fiber, array->numbers, compare);
}

static void empty(void *userdata)
{
    const struct array *array = userdata;
    fiber_empty(array->fiber, array->numbers);
}

static unsigned turns_of(const struct array *array, fiber_work work)
{
    unsigned turns = 1;
    while (!fiber_run(array->fiber, work, (void *)array, PAST))
        turns++;
    return turns;
}

static void arrays_are_sorted_and_emptied_in_turns(void **state)
{
    (void)state;
    struct array array = {.fiber = new_fiber(),
                          .numbers = g_array_new(FALSE, FALSE, sizeof(unsigned))};
    for (unsigned i = 0; i < 20000; i++) {
        unsigned number = (i * 7919u) % 20011u;
        g_array_append_val(array.numbers, number);
    }
    assert_in_range(turns_of(&array, sort), 1000, 20000);
    for (guint i = 1; i < array.numbers->len; i++)
        assert_true(g_array_index(array.numbers, unsigned, i - 1) <
                    g_array_index(array.numbers, unsigned, i));
    assert_int_equal(array.numbers->len, 20000);
    assert_in_range(turns_of(&array, empty), 100, 1000);
    assert_int_equal(array.numbers->len, 0);
    g_array_unref(array.numbers);
    fiber_free(array.fiber);
}

static void two_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct job one = {.fiber = new_fiber(), .rounds = 100};
    struct job other = {.fiber = new_fiber(), .rounds = 50};
    bool one_ended = false, other_ended = false;
    while (!one_ended || !other_ended) {
        one_ended = one_ended || fiber_run(one.fiber, add_up, &one, PAST);
        other_ended = other_ended || fiber_run(other.fiber, add_up, &other, PAST);
    }
    assert_int_equal(one.sum, 99 * 100 / 2);
    assert_int_equal(other.sum, 49 * 50 / 2);
    fiber_free(one.fiber);
    fiber_free(other.fiber);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_ends_when_it_is_late),
        cmocka_unit_test(in_time_it_runs_to_its_end),
        cmocka_unit_test(without_a_fiber_nothing_gives_way),
        cmocka_unit_test(ticks_look_at_the_clock_now_and_then),
        cmocka_unit_test(arrays_are_sorted_and_emptied_in_turns),
        cmocka_unit_test(two_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
