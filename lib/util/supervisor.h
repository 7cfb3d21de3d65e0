/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the supervisor is told, as by sd_notify(3), and its watchdog; but nothing here ever waits.
 * What it cannot take now it is told later; of several such messages only the last.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct supervisor;

/* Nobody supervises: what is told goes nowhere. 0 or negative errno.
 *
 * `alive` says whether what else belongs to the process has shown life within `usec`: only then is
 * the watchdog told so. */
int supervisor_new(struct supervisor **supervisorp, sd_event *event,
                   bool (*alive)(void *userdata, uint64_t usec), void *userdata);
struct supervisor *supervisor_free(struct supervisor *supervisor); /* returns NULL */

bool supervisor_is_there(const struct supervisor *supervisor);

/* Leaves a descriptor with the supervisor, for the next process of the unit, in place of what it
 * has by that name. Where it cannot take it now, it does not get it. */
void supervisor_store(struct supervisor *supervisor, const char *name, int fd);

void supervisor_tell(struct supervisor *supervisor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
