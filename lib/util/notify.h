/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Service notifications as of sd_notify(3), and the watchdog, without ever blocking: a message that
 * the service manager cannot take now is sent later, unless another has followed that replaces it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct notify;

/* Without a service manager all messages are dropped. 0 or negative errno.
 *
 * `alive` says whether the rest of the process has made progress within `usec`: only then is the
 * watchdog fed. */
int notify_new(struct notify **notifyp, sd_event *event,
               bool (*alive)(void *userdata, uint64_t usec), void *userdata);
struct notify *notify_free(struct notify *notify); /* returns NULL */

bool notify_is_supervised(const struct notify *notify);

/* Stores a descriptor with the service manager (FDSTORE=1), for the next process of the unit; one
 * that it has already is not stored twice. False: it cannot take any now. */
bool notify_store_fd(struct notify *notify, const char *name, int fd);

/* The service manager drops the descriptors of this name (FDSTOREREMOVE=1), unless it can take no
 * message now. */
void notify_remove_fd(struct notify *notify, const char *name);

/* RELOADING=1; what was sent next, READY=1 or so, never replaces it. */
void notify_reloading(struct notify *notify);
void notify_send(struct notify *notify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
