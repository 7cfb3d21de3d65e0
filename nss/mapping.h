/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's snapshot as mapped by this process: which one, whether its answers may be given
 * without asking the daemon, and how long a thread may read it.
 *
 * A process has few of them, one after another: they are counted in a static table, which needs no
 * lock, allocation, thread-local or descriptor. A thread that never returns (or a fork in the
 * middle of a lookup) at worst leaves one mapped for the rest of the process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kubesvc/snapshot.h>

enum mapping_state {
    MAPPING_FRESH,   /* authoritative */
    MAPPING_WATCHED, /* the daemon wants to see every question: it is asked first */
    MAPPING_STALE,   /* its daemon has died or hangs: ask the socket first */
    MAPPING_LOST,    /* dead or hung for so long that its answers are no longer given */
    MAPPING_GONE,    /* replaced, or stopped on purpose: drop it */
};

struct mapping {
    _Atomic uint32_t users; /* one for the table while it is current, one for each reader */
    _Atomic uint32_t taken;
    const uint8_t *base; /* points to a struct kubesvc_snapshot_header */
    size_t size;
};

/* The current mapping, held until mapping_leave; NULL if there is none. */
struct mapping *mapping_enter(void);
void mapping_leave(struct mapping *mapping);

enum mapping_state mapping_state(const struct mapping *mapping);

/* Makes the snapshot behind a descriptor the current mapping; the descriptor remains the caller's.
 * False: it is not one that can be trusted or read, or it cannot be mapped. */
bool mapping_set(int fd);

/* Stops being the current one. The caller's reference remains. */
void mapping_drop(struct mapping *mapping);

/* The value of `reuse` to start reading with, and whether it still holds after the data has been
 * copied. */
uint32_t mapping_read_begin(const struct mapping *mapping);
bool mapping_read_holds(const struct mapping *mapping, uint32_t reuse);
