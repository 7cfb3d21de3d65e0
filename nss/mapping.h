/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's snapshot as this process has it mapped: which one, whether its answers may be given
 * without asking the daemon, and for how long a thread may read it.
 *
 * One process has few of them, one after the other: they are counted in a static table, so that
 * there is no lock, no allocation, no thread-local and no descriptor. A thread that never comes
 * back (or a fork in the middle of a lookup) leaves one mapped for the rest of the process, no
 * more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kubesvc/snapshot.h>

enum mapping_state {
    MAPPING_FRESH,   /* what it says counts */
    MAPPING_WATCHED, /* the daemon wants to see every question: it is asked first */
    MAPPING_STALE,   /* its daemon has died or hangs: whoever is on the socket is asked first */
    MAPPING_LOST,    /* for so long that its answers are not given any more */
    MAPPING_GONE,    /* replaced, or stopped on purpose: to be dropped */
};

struct mapping {
    _Atomic uint32_t users; /* the table itself, while it is the current one, and each reader */
    _Atomic uint32_t taken;
    const uint8_t *base; /* a struct kubesvc_snapshot_header */
    size_t size;
};

/* The current mapping, counted until mapping_leave; NULL if there is none. */
struct mapping *mapping_enter(void);
void mapping_leave(struct mapping *mapping);

enum mapping_state mapping_state(const struct mapping *mapping);

/* Makes the snapshot behind a descriptor the current mapping; the descriptor stays the caller's.
 * False: it is none that could be trusted or read, or it cannot be mapped. */
bool mapping_set(int fd);

/* It is not the current one any more. The caller stays counted. */
void mapping_drop(struct mapping *mapping);

/* The value of `reuse` to begin a reading with, and whether it still holds after what was read has
 * been copied. */
uint32_t mapping_read_begin(const struct mapping *mapping);
bool mapping_read_holds(const struct mapping *mapping, uint32_t reuse);
