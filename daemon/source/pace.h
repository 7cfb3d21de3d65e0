/*
 * When work is done that takes its time: in short steps, after everything else that the event loop
 * has to do, but never put off for long by it; and again at a time that it names.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/util/error.h"

struct pace;

/* Works until about `until` (CLOCK_MONOTONIC, microseconds). True: there is more to do. False:
 * there is not, before *wake_at (left alone: before pace_wake). */
typedef bool (*pace_work)(void *userdata, uint64_t until, uint64_t *wake_at);

MUST_USE int pace_new(struct pace **pacep, sd_event *event, pace_work work, void *userdata);
struct pace *pace_free(struct pace *pace); /* returns NULL */

/* There is something to do. */
void pace_wake(struct pace *pace);
