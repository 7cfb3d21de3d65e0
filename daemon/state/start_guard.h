/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon was at when it died while it started. If it dies three times in a row at one
 * content of one file, the file is passed over until it changes, so that it does not take all other
 * names away. Kept in a page of memory that is a file of the state directory: noting costs nothing,
 * and what was noted outlives any death but the machine's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/util/error.h"

#define START_GUARD_DEATHS 3u

struct start_guard;

/* Opens (makes) the page in the state directory, which must be there and no other daemon's. A death
 * that it tells of is counted. Negative errno: it cannot be used; the caller goes on
 * with NULL, with which the others do nothing. */
MUST_USE int start_guard_open(struct start_guard **guardp, const char *directory);

/* An orderly end, whatever it is at. From any thread. */
void start_guard_end(struct start_guard *guard);

/* The same; returns NULL. */
struct start_guard *start_guard_close(struct start_guard *guard);

/* From now on the daemon is at this file, whose content `stamp` stands for. */
void start_guard_enter(struct start_guard *guard, const char *path, uint64_t stamp);

/* It is at no file. */
void start_guard_leave(struct start_guard *guard);

/* So many times in a row did it die at this content of the file; from START_GUARD_DEATHS on the
 * file is to be passed over. Of another content it is none. */
unsigned start_guard_deaths(struct start_guard *guard, const char *path, uint64_t stamp);

/* It has started: what was noted on the way counts no more, but for files that are passed over. */
void start_guard_finish(struct start_guard *guard);
