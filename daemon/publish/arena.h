/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of successive states of a snapshot: nodes that are only ever appended, in one space of
 * a region. Refs and sizes are in units of KUBESVC_SNAPSHOT_ALIGN bytes; refs count from the start
 * of the region.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/util/error.h"
#include "region.h"

struct arena {
    struct region *region; /* a reference; NULL: closed */
    unsigned space;
    bool dirty;    /* the space has been written to before */
    uint32_t used; /* up to where */
};

/* In a region of its own with this seed and no root, and room for at least `units`. -ENOMEM */
MUST_USE int arena_open(struct arena *arena, const uint8_t seed[static 16], uint64_t units);

/* In the other space of `beside`'s region. -ENOBUFS: it has none that is free and has room for
 * `units`. */
MUST_USE int arena_open_beside(struct arena *arena, const struct arena *beside, uint64_t units);

void arena_close(struct arena *arena);

/* Makes room for `units`, so that arena_take cannot fail. Invalidates pointers into the arena.
 * -ENOMEM; -ENOSPC: refs are used up; -ENOBUFS: it has been published and is full. */
MUST_USE int arena_reserve(struct arena *arena, uint64_t units);

/* Appends `units` of zeroes that were reserved. */
uint32_t arena_take(struct arena *arena, uint32_t units);

/* Publishes everything appended so far, with this `root`. The first call shares the region;
 * `heartbeat` is the time. */
void arena_publish(struct arena *arena, uint32_t root, uint32_t heartbeat);

/* How much of it is in use. */
static inline uint64_t arena_taken(const struct arena *arena)
{
    return arena->used - arena->region->spaces[arena->space].start;
}

static inline bool arena_is_published(const struct arena *arena)
{
    return arena->region->spaces[arena->space].shown;
}

static inline void *arena_at(const struct arena *arena, uint32_t ref)
{
    return arena->region->base + (uint64_t)ref * KUBESVC_SNAPSHOT_ALIGN;
}

static inline uint32_t arena_units(uint64_t bytes)
{
    return (uint32_t)((bytes + KUBESVC_SNAPSHOT_ALIGN - 1) / KUBESVC_SNAPSHOT_ALIGN);
}
