/*
 * What the supervisor is told, as by sd_notify(3), and its watchdog; but nothing here ever waits.
 * What it cannot take now it is told later; of several such messages only the last.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

struct supervisor;

/* Nobody supervises: what is told goes nowhere. 0 or negative errno. */
int supervisor_new(struct supervisor **supervisorp, sd_event *event);
struct supervisor *supervisor_free(struct supervisor *supervisor); /* returns NULL */

void supervisor_tell(struct supervisor *supervisor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
