/*
 * The memory of a snapshot: a header and nodes that are only ever appended, in one anonymous
 * mapping. Until its first publish it grows (and may move then); afterwards readers have it, and it
 * stays where and as large as it is. Refs and sizes are in units of KUBESVC_SNAPSHOT_ALIGN bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/util/error.h"
#include <kubesvc/snapshot.h>

struct arena {
    uint8_t *base;
    uint64_t capacity; /* both in units */
    uint32_t used;
    bool published; /* other threads may be reading it */
};

/* A header with this seed and no root, and room for at least `units` more. -ENOMEM */
MUST_USE int arena_open(struct arena *arena, const uint8_t seed[static 16], uint64_t units);
void arena_close(struct arena *arena);

/* Makes room for `units`, so that arena_take cannot fail. Pointers into the arena are invalid then.
 * -ENOMEM; -ENOSPC: refs are used up; -ENOBUFS: it has been published and is full. */
MUST_USE int arena_reserve(struct arena *arena, uint64_t units);

/* Appends `units` of zeroes that were reserved. */
uint32_t arena_take(struct arena *arena, uint32_t units);

/* Lets readers see everything appended so far, from `root` on. */
void arena_publish(struct arena *arena, uint32_t root);

static inline void *arena_at(const struct arena *arena, uint32_t ref)
{
    return arena->base + (uint64_t)ref * KUBESVC_SNAPSHOT_ALIGN;
}

static inline uint32_t arena_units(uint64_t bytes)
{
    return (uint32_t)((bytes + KUBESVC_SNAPSHOT_ALIGN - 1) / KUBESVC_SNAPSHOT_ALIGN);
}
