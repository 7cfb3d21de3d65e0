/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inotify instance and its listeners. An inode has one watch however many paths lead to it, so
 * several listeners share it, each with its own mask and, for a directory, its own name.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "error.h"

struct watch;
struct watch_point; /* one listener at one inode */

/* `name` is the entry of a watched directory, NULL: the watched inode itself. Every listener
 * receives IN_IGNORED when this watch has ended. Must not add or free points. */
typedef void (*watch_event)(void *userdata, uint32_t mask, const char *name);

/* What a caller does that looks itself where nothing can be watched. */
#define WATCH_POLLING "polling them every second instead"

struct watch_handlers {
    const char *what;                 /* what is watched, for the log: "manifests" */
    const char *otherwise;            /* what is done if it cannot be, likewise */
    void (*overflow)(void *userdata); /* events were lost */
    void (*drained)(void *userdata);  /* events have been delivered to the listeners */
    void *userdata;
};

/* A lack of instances is not an error: the watch then starts exhausted. */
struct watch *watch_new(sd_event *event, const struct watch_handlers *handlers);
struct watch *watch_free(struct watch *watch); /* returns NULL; points must be gone */

enum { WATCH_EXHAUSTED = 1 };

/* Listens at `path` (links are followed) for `mask`, limited to the entry `name` of a directory
 * unless NULL. WATCH_EXHAUSTED: no watches or instances are left and *pointp is NULL; negative
 * errno: this path cannot be watched, *pointp is NULL. */
MUST_USE int watch_add(struct watch *watch, struct watch_point **pointp, const char *path,
                       uint32_t mask, const char *name, watch_event event, void *userdata);
struct watch_point *watch_point_free(struct watch_point *point); /* returns NULL */

/* Do both watch the same inode, or the same name in it? False if either is missing. */
bool watch_point_is_same(const struct watch_point *a, const struct watch_point *b);

/* Delivers pending events. */
void watch_drain(struct watch *watch);

/* Some point could not be had for lack of watches, so the caller must poll. Logged once, and again
 * when a whole round of watch_add has succeeded. */
bool watch_is_exhausted(const struct watch *watch);
void watch_begin_round(struct watch *watch);
void watch_end_round(struct watch *watch);
