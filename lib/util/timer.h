/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Timers of the event loop that are started now and then, and ring once each time: sd-event's own
 * run from the beginning, and take two calls to start.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "error.h"

/* A timer that does not run yet, on CLOCK_MONOTONIC. `accuracy` in microseconds, 0: sd-event's
 * default. *timerp may be set even if this fails. Negative errno. */
MUST_USE int timer_new(sd_event_source **timerp, sd_event *event, uint64_t accuracy,
                       sd_event_time_handler_t handler, void *userdata);

/* Lets it ring in `usec` microseconds, even if it runs. Negative errno: only if the loop has
 * ended. */
int timer_start(sd_event_source *timer, uint64_t usec);
