/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Appends to a space. New memory is zero; memory that held nodes before is cleared as it is taken,
 * or the padding of keys and records would leak old contents.
 */
#include "arena.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "lib/util/happens.h"

static struct region_space *space_of(const struct arena *arena)
{
    return &arena->region->spaces[arena->space];
}

static void begin(struct arena *arena, struct region *region, unsigned space)
{
    *arena = (struct arena){
        .region = region,
        .space = space,
        .dirty = region->spaces[space].written,
        .used = (uint32_t)region->spaces[space].start,
    };
    region_take(region, space);
}

int arena_open(struct arena *arena, const uint8_t seed[static 16], uint64_t units)
{
    struct region *region;

    *arena = (struct arena){0};
    int r = region_new(&region, seed, units);
    if (r == 0)
        begin(arena, region, 0);
    return r;
}

int arena_open_beside(struct arena *arena, const struct arena *beside, uint64_t units)
{
    struct region *region = beside->region;
    unsigned space = 1 - beside->space;
    const struct region_space *other = &region->spaces[space];

    if (other->taken || other->end - other->start < units)
        return -ENOBUFS;
    begin(arena, region_ref(region), space);
    return 0;
}

void arena_close(struct arena *arena)
{
    if (arena->region != NULL) {
        space_of(arena)->taken = false;
        region_unref(arena->region);
    }
    *arena = (struct arena){0};
}

int arena_reserve(struct arena *arena, uint64_t units)
{
    uint64_t end = arena->used + units;
    int r = 0;

    if (units > UINT32_MAX - arena->used)
        return -ENOSPC;
    if (end > space_of(arena)->end)
        r = arena->region->sealed ? -ENOBUFS : region_grow(arena->region, end);
    return r < 0 ? r : region_commit(arena->region, arena->space, end);
}

uint32_t arena_take(struct arena *arena, uint32_t units)
{
    uint32_t ref = arena->used;

    arena->used += units;
    if (arena->dirty)
        memset(arena_at(arena, ref), 0, (size_t)units * KUBESVC_SNAPSHOT_ALIGN);
    return ref;
}

void arena_publish(struct arena *arena, uint32_t root, uint32_t heartbeat)
{
    if (!arena->region->sealed)
        region_share(arena->region, arena_taken(arena), heartbeat);
    space_of(arena)->shown = true;
    HAPPENS_BEFORE(region_header(arena->region));
    __atomic_store_n(&region_header(arena->region)->root, htole32(root), __ATOMIC_RELEASE);
}
