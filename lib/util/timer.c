/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * No more than a pair of calls each: everything else is done with the source itself.
 */
#include "timer.h"

int timer_new(sd_event_source **timerp, sd_event *event, uint64_t accuracy,
              sd_event_time_handler_t handler, void *userdata)
{
    int r = sd_event_add_time(event, timerp, CLOCK_MONOTONIC, 0, accuracy, handler, userdata);

    return r < 0 ? r : sd_event_source_set_enabled(*timerp, SD_EVENT_OFF);
}

int timer_start(sd_event_source *timer, uint64_t usec)
{
    int r = sd_event_source_set_time_relative(timer, usec);

    return r < 0 ? r : sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}
