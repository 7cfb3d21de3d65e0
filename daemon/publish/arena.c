/*
 * An arena is one mapping, because that is what a reader in another process can be given. Room that
 * is not used costs address space only: pages come into being when they are written.
 */
#include "arena.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define INITIAL_UNITS (UINT64_C(1) << 17) /* 1 MiB */
#define MAX_UNITS (UINT64_C(1) << 32)     /* what a ref can name */

/* No more than an address space has: nothing larger was ever mapped or asked for. */
static size_t to_bytes(uint64_t units)
{
    return (size_t)(units * KUBESVC_SNAPSHOT_ALIGN);
}

static int map_result(const void *mapping)
{
    return mapping == MAP_FAILED ? -errno : 0;
}

int arena_open(struct arena *arena, const uint8_t seed[static 16], uint64_t units)
{
    struct kubesvc_snapshot_header *header;
    uint64_t capacity = INITIAL_UNITS;
    int r;

    while (capacity < units + arena_units(sizeof *header))
        capacity *= 2;
    if (capacity > SIZE_MAX / KUBESVC_SNAPSHOT_ALIGN)
        return -ENOMEM;
    *arena = (struct arena){.capacity = capacity};
    arena->base =
        mmap(NULL, to_bytes(capacity), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    r = map_result(arena->base);
    if (r < 0) {
        *arena = (struct arena){0};
        return r;
    }
    header = arena_at(arena, arena_take(arena, arena_units(sizeof *header)));
    header->magic = htole32(KUBESVC_SNAPSHOT_MAGIC);
    memcpy(header->seed, seed, sizeof header->seed);
    return 0;
}

void arena_close(struct arena *arena)
{
    if (arena->base != NULL)
        munmap(arena->base, to_bytes(arena->capacity));
    *arena = (struct arena){0};
}

int arena_reserve(struct arena *arena, uint64_t units)
{
    uint64_t capacity = arena->capacity;
    void *base;
    int r;

    if (units > MAX_UNITS - 1 - arena->used)
        return -ENOSPC;
    while (capacity - arena->used < units)
        capacity *= 2;
    if (capacity == arena->capacity)
        return 0;
    if (arena->published)
        return -ENOBUFS;
    if (capacity > SIZE_MAX / KUBESVC_SNAPSHOT_ALIGN)
        return -ENOMEM;

    base = mremap(arena->base, to_bytes(arena->capacity), to_bytes(capacity), MREMAP_MAYMOVE);
    r = map_result(base);
    if (r < 0)
        return r;
    arena->base = base;
    arena->capacity = capacity;
    return 0;
}

uint32_t arena_take(struct arena *arena, uint32_t units)
{
    uint32_t ref = arena->used;

    arena->used += units;
    return ref;
}

void arena_publish(struct arena *arena, uint32_t root)
{
    struct kubesvc_snapshot_header *header = (void *)arena->base;

    arena->published = true;
    /* The size first: a reader that sees the root must see what it leads to as inside. */
    __atomic_store_n(&header->size, htole32(arena->used), __ATOMIC_RELAXED);
    __atomic_store_n(&header->root, htole32(root), __ATOMIC_RELEASE);
}
