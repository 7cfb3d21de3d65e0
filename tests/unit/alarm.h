/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Time limits that a busy machine does not exceed: an alarm of the loop that a test turns. It goes
 * off when its time is over and the loop has nothing else to do, so what is ready is done first,
 * however late the process was given the processor.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

static inline int alarm_on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    (void)userdata;
    return 0; /* one-shot: that it is off from now on is all there is to know */
}

static inline sd_event_source *alarm_new(sd_event *event, uint64_t usec)
{
    sd_event_source *alarm = NULL;
    int r =
        sd_event_add_time_relative(event, &alarm, CLOCK_MONOTONIC, usec, 1, alarm_on_time, NULL);

    g_assert(r >= 0);
    r = sd_event_source_set_priority(alarm, SD_EVENT_PRIORITY_IDLE * 10);
    g_assert(r >= 0);
    return alarm;
}

static inline bool alarm_rang(sd_event_source *alarm)
{
    int enabled, r = sd_event_source_get_enabled(alarm, &enabled);

    g_assert(r >= 0);
    return enabled == SD_EVENT_OFF;
}

static inline void alarm_free(sd_event_source **alarm)
{
    sd_event_source_disable_unref(*alarm);
}

#define ALARM __attribute__((cleanup(alarm_free))) sd_event_source *
