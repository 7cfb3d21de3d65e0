/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records what the daemon was reading when it died during startup. If it dies three times in a row
 * at the same content of one file, the file is skipped until it changes, so that it does not take
 * all other names away. Kept in a mapped file of the state directory: recording costs nothing, and
 * survives anything but the death of the machine.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/util/error.h"

#define START_GUARD_DEATHS 3u

struct start_guard;

/* Opens or creates the page in the state directory, which must exist and belong to this daemon
 * alone. Counts a death recorded in it. Negative errno: it cannot be used; the caller continues
 * with NULL, with which the other functions do nothing. */
MUST_USE int start_guard_open(struct start_guard **guardp, const char *directory);

/* An orderly exit, even while reading. From any thread. */
void start_guard_end(struct start_guard *guard);

/* The same; returns NULL. */
struct start_guard *start_guard_close(struct start_guard *guard);

/* The daemon starts reading this file, whose content is identified by `stamp`. */
void start_guard_enter(struct start_guard *guard, const char *path, uint64_t stamp);

/* It is not reading any file. */
void start_guard_leave(struct start_guard *guard);

/* How many times in a row the daemon died at this content of the file; from START_GUARD_DEATHS on,
 * skip the file. 0 for other content. */
unsigned start_guard_deaths(struct start_guard *guard, const char *path, uint64_t stamp);

/* Startup is complete: counts are reset, except for files that are skipped. */
void start_guard_finish(struct start_guard *guard);
