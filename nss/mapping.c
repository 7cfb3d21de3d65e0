/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of mappings. A thread may read once it has raised a count that was not 0; the thread
 * that lowers it to 0 unmaps. A slot that was emptied and refilled in between is a different
 * mapping, and just as good.
 *
 * The memory belongs to a daemon that is trusted with names, not with this process: it must not be
 * able to make a reader fault. So the file must be sealed against shrinking, and against writing
 * through other descriptors.
 */
#include "mapping.h"

#include <endian.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <kubesvc/limits.h>

#define MAPPINGS 8
#define SEALS (F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE)

#if SIZE_MAX > UINT32_MAX
#define SIZE_LIMIT ((off_t)KUBESVC_SNAPSHOT_ALIGN << 32) /* what a ref can lead to */
#else
#define SIZE_LIMIT ((off_t)64 << 20) /* the program needs its address space itself */
#endif

static struct mapping mappings[MAPPINGS];
static _Atomic(struct mapping *) current;

static const struct kubesvc_snapshot_header *header_of(const struct mapping *mapping)
{
    return (const void *)mapping->base;
}

static uint32_t load(const uint32_t *field, int order)
{
    return le32toh(__atomic_load_n(field, order));
}

struct mapping *mapping_enter(void)
{
    struct mapping *mapping = atomic_load_explicit(&current, memory_order_acquire);

    if (!mapping)
        return NULL;
    uint32_t users = atomic_load_explicit(&mapping->users, memory_order_relaxed);

    while (users != 0) {
        if (atomic_compare_exchange_weak_explicit(&mapping->users, &users, users + 1,
                                                  memory_order_acquire, memory_order_relaxed))
            return mapping;
    }
    return NULL;
}

void mapping_leave(struct mapping *mapping)
{
    if (atomic_fetch_sub_explicit(&mapping->users, 1, memory_order_acq_rel) != 1)
        return;
    munmap((void *)mapping->base, mapping->size);
    atomic_store_explicit(&mapping->taken, 0, memory_order_release);
}

void mapping_drop(struct mapping *mapping)
{
    struct mapping *expected = mapping;

    if (atomic_compare_exchange_strong_explicit(&current, &expected, NULL, memory_order_acq_rel,
                                                memory_order_relaxed))
        mapping_leave(mapping);
}

static bool mapping_install(const uint8_t *base, size_t size)
{
    for (struct mapping *mapping = mappings; mapping < mappings + MAPPINGS; mapping++) {
        uint32_t taken = 0;

        if (!atomic_compare_exchange_strong_explicit(&mapping->taken, &taken, 1,
                                                     memory_order_acquire, memory_order_relaxed))
            continue;
        mapping->base = base;
        mapping->size = size;
        atomic_store_explicit(&mapping->users, 1, memory_order_release);
        struct mapping *before = atomic_exchange_explicit(&current, mapping, memory_order_acq_rel);

        if (before)
            mapping_leave(before);
        return true;
    }
    return false; /* threads that never returned hold them all */
}

static bool header_is_known(const struct kubesvc_snapshot_header *header, size_t size)
{
    return load(&header->magic, __ATOMIC_RELAXED) == KUBESVC_SNAPSHOT_MAGIC &&
           load(&header->version, __ATOMIC_RELAXED) == KUBESVC_SNAPSHOT_VERSION &&
           load(&header->size, __ATOMIC_RELAXED) <= size / KUBESVC_SNAPSHOT_ALIGN;
}

bool mapping_set(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & SEALS) != SEALS)
        return false;
    off_t end = lseek(fd, 0, SEEK_END); /* fstat would be a symbol of glibc 2.33 */

    if (end < (off_t)sizeof(struct kubesvc_snapshot_header) || end > SIZE_LIMIT)
        return false;
    size_t size = (size_t)end;
    void *base = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

    if (base == MAP_FAILED)
        return false;
    /* The daemon's data does not belong in a core dump of this program. */
    madvise(base, size, MADV_DONTDUMP);
    if (header_is_known(base, size) && mapping_install(base, size))
        return true;
    munmap(base, size);
    return false;
}

enum mapping_state mapping_state(const struct mapping *mapping)
{
    const struct kubesvc_snapshot_header *header = header_of(mapping);
    uint32_t state = load(&header->state, __ATOMIC_RELAXED);
    uint32_t owner = __atomic_load_n(&header->owner[0], __ATOMIC_RELAXED); /* of this machine */
    /* Read before the clock: a thread preempted in between then sees the daemon as slower than it
     * is, never its time as invalid. */
    uint32_t heartbeat = load(&header->heartbeat, __ATOMIC_ACQUIRE);
    struct timespec now = {0};

    if ((state & ~KUBESVC_SNAPSHOT_WATCHED) != 0)
        return MAPPING_GONE;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    uint32_t age = (uint32_t)now.tv_sec - heartbeat;

    /* A heartbeat ahead of this thread's clock is as fresh as can be. */
    if (age == UINT32_MAX)
        age = 0;
    if (age > KUBESVC_HEARTBEAT_LOST_S)
        return MAPPING_LOST;
    if (age > KUBESVC_HEARTBEAT_LATE_S || (owner & KUBESVC_OWNER_DIED) != 0 ||
        (owner & KUBESVC_OWNER_MASK) == 0)
        return MAPPING_STALE;
    return (state & KUBESVC_SNAPSHOT_WATCHED) != 0 ? MAPPING_WATCHED : MAPPING_FRESH;
}

uint32_t mapping_read_begin(const struct mapping *mapping)
{
    return load(&header_of(mapping)->reuse, __ATOMIC_ACQUIRE);
}

bool mapping_read_holds(const struct mapping *mapping, uint32_t reuse)
{
    atomic_thread_fence(memory_order_acquire);
    return load(&header_of(mapping)->reuse, __ATOMIC_RELAXED) == reuse;
}
