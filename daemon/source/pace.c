/*
 * sd-event serves strictly by priority. At a low one alone the work would starve under a flood of
 * lookups, at the lookups' own it would take most of their time; so it is offered twice: whenever
 * nothing else is to do, and at a set time as one among the others.
 */
#include "pace.h"

#include <glib.h>
#include <time.h>

#define STEP 2000  /* microseconds of work */
#define PAUSE 4000 /* microseconds for others between two steps, at most */
#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

struct pace {
    sd_event_source *idle, *timer;
    pace_work work;
    void *userdata;
    bool awake;
};

static uint64_t get_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The calls fail only for a source of another kind or process. */
static void set_timer(struct pace *pace, uint64_t at)
{
    (void)sd_event_source_set_time(pace->timer, at);
    (void)sd_event_source_set_enabled(pace->timer, at > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void run(struct pace *pace)
{
    uint64_t wake_at = 0;
    bool more = pace->work(pace->userdata, get_now() + STEP, &wake_at);

    pace->awake = more;
    (void)sd_event_source_set_enabled(pace->idle, more ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
    set_timer(pace, more ? get_now() + PAUSE : wake_at);
}

static int on_idle(sd_event_source *source, void *userdata)
{
    (void)source;
    run(userdata);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    run(userdata);
    return 0;
}

void pace_wake(struct pace *pace)
{
    /* Waking again must not put off the time at which the work gets its turn. */
    if (pace->awake)
        return;
    pace->awake = true;
    (void)sd_event_source_set_enabled(pace->idle, SD_EVENT_ONESHOT);
    set_timer(pace, get_now() + PAUSE);
}

static int add_sources(struct pace *pace, sd_event *event)
{
    int r = sd_event_add_defer(event, &pace->idle, on_idle, pace);
    if (r < 0)
        return r;
    r = sd_event_source_set_priority(pace->idle, PRIORITY);
    if (r < 0)
        return r;
    r = sd_event_add_time(event, &pace->timer, CLOCK_MONOTONIC, 0, 1, on_timer, pace);
    if (r < 0)
        return r;
    return sd_event_source_set_enabled(pace->timer, SD_EVENT_OFF);
}

int pace_new(struct pace **pacep, sd_event *event, pace_work work, void *userdata)
{
    struct pace *pace = g_new0(struct pace, 1);

    pace->work = work;
    pace->userdata = userdata;
    int r = add_sources(pace, event);
    if (r < 0) {
        pace_free(pace);
        return r;
    }
    *pacep = pace;
    return 0;
}

struct pace *pace_free(struct pace *pace)
{
    if (!pace)
        return NULL;
    sd_event_source_disable_unref(pace->idle);
    sd_event_source_disable_unref(pace->timer);
    g_free(pace);
    return NULL;
}
