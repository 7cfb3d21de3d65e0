/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A region is sealed before it is shared: it cannot shrink under a reader (which would die of
 * SIGBUS), nor can another process write to it, not even as root through /proc. Readers receive
 * another descriptor, opened for reading, because a passed descriptor shares its mode.
 *
 * The robust mutex in the header is never contended. It is held so that the kernel marks it however
 * its thread dies; that thread must unlock it before the memory is unmapped.
 */
#include "region.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/happens.h"

#define HEADER_UNITS (sizeof(struct kubesvc_snapshot_header) / KUBESVC_SNAPSHOT_ALIGN)
#define INITIAL_UNITS (UINT64_C(1) << 17)   /* 1 MiB */
#define SPACE_MIN_UNITS (UINT64_C(1) << 15) /* 256 KiB */
#define OVERSIZED 4u
#define COMMIT_UNITS (UINT64_C(1) << 17)    /* 1 MiB */
#define MAX_UNITS ((UINT64_C(1) << 32) - 1) /* limit of a ref */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

/* The sanitizer does not model fences, and cannot see readers in other processes anyway. */
#ifdef __SANITIZE_THREAD__
#pragma GCC diagnostic ignored "-Wtsan"
#endif

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(((struct kubesvc_snapshot_header *)0)->owner),
               "the header has room for a mutex");

static pthread_mutex_t *owner_of(const struct region *region)
{
    return (void *)region_header(region)->owner;
}

static int memfd_new(void)
{
    /* vm.memfd_noexec=2 demands the flag; kernels before 6.3 do not know it. */
    int fd = memfd_create("kubesvc-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("kubesvc-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd < 0 ? -errno : fd;
}

/* RLIMIT_FSIZE limits a memfd like any file, but not private memory. */
static int make_private(struct region *region)
{
    size_t length = (size_t)region->size * KUBESVC_SNAPSHOT_ALIGN;
    size_t used = (size_t)region->spaces[0].committed * KUBESVC_SNAPSHOT_ALIGN;

    if (region->base != NULL) {
        void *copy = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (copy == MAP_FAILED)
            return -errno;
        memcpy(copy, region->base, MIN(used, length));
        munmap(region->base, length);
        region->base = copy;
    }
    close(region->fd);
    region->fd = -1;
    return 0;
}

/* Resizes the mapping; all or nothing except for the file's length, which costs nothing. */
static int region_resize(struct region *region, uint64_t size)
{
    size_t before = (size_t)region->size * KUBESVC_SNAPSHOT_ALIGN;
    void *base;
    int r = 0;

    if (size > MAX_UNITS)
        return -ENOSPC;
    if (size > SIZE_MAX / KUBESVC_SNAPSHOT_ALIGN)
        return -ENOMEM;
    size_t after = (size_t)size * KUBESVC_SNAPSHOT_ALIGN;

    if (region->fd >= 0 && ftruncate(region->fd, (off_t)after) < 0)
        r = errno == EFBIG ? make_private(region) : -errno;
    if (r < 0)
        return r;
    base = region->base
               ? mremap(region->base, before, after, MREMAP_MAYMOVE)
               : mmap(NULL, after, PROT_READ | PROT_WRITE,
                      region->fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, region->fd, 0);
    if (base == MAP_FAILED)
        return -errno;
    region->base = base;
    region->size = size;
    return 0;
}

int region_new(struct region **regionp, const uint8_t seed[static 16], uint64_t units)
{
    struct region *region = g_new0(struct region, 1);
    uint64_t size = INITIAL_UNITS;

    *regionp = NULL;
    region->references = 1;
    region->reader_fd = -1;
    while (size < units + HEADER_UNITS)
        size *= 2;
    region->fd = memfd_new();
    int r = region_resize(region, size);
    region->spaces[0] = (struct region_space){.start = HEADER_UNITS, .end = size};
    if (r == 0)
        r = region_commit(region, 0, HEADER_UNITS);
    if (r < 0) {
        region_unref(region);
        return r;
    }
    region_header(region)->magic = htole32(KUBESVC_SNAPSHOT_MAGIC);
    region_header(region)->version = htole32(KUBESVC_SNAPSHOT_VERSION);
    memcpy(region_header(region)->seed, seed, sizeof region_header(region)->seed);
    *regionp = region;
    return 0;
}

struct region *region_ref(struct region *region)
{
    region->references++;
    return region;
}

struct region *region_unref(struct region *region)
{
    if (--region->references > 0)
        return NULL;
    if (region->base != NULL) {
        if (region->sealed)
            pthread_mutex_unlock(owner_of(region));
        munmap(region->base, (size_t)region->size * KUBESVC_SNAPSHOT_ALIGN);
    }
    if (region->fd >= 0)
        close(region->fd);
    if (region->reader_fd >= 0)
        close(region->reader_fd);
    g_free(region);
    return NULL;
}

int region_grow(struct region *region, uint64_t end)
{
    uint64_t size = region->size;

    if (end > MAX_UNITS)
        return -ENOSPC;
    while (size < end)
        size *= 2;
    int r = region_resize(region, MIN(size, MAX_UNITS));
    if (r == 0)
        region->spaces[0].end = region->size;
    return r;
}

int region_commit(struct region *region, unsigned space, uint64_t end)
{
    uint64_t *committed = &region->spaces[space].committed;

    if (region->fd < 0 || end <= *committed)
        return 0;
    end = MIN(end + COMMIT_UNITS, MAX(end, region->spaces[space].end));
    uint64_t start = MAX(*committed, space == 0 ? 0 : region->spaces[space].start);

    while (fallocate(region->fd, 0, (off_t)(start * KUBESVC_SNAPSHOT_ALIGN),
                     (off_t)((end - start) * KUBESVC_SNAPSHOT_ALIGN)) < 0) {
        if (errno == EINTR)
            continue;
        return errno == ENOSPC ? -ENOMEM : -errno;
    }
    *committed = end;
    return 0;
}

void region_take(struct region *region, unsigned space)
{
    uint32_t *reuse = &region_header(region)->reuse;
    bool shown = region->spaces[space].shown;

    region->spaces[space].taken = true;
    region->spaces[space].written = true;
    region->spaces[space].shown = false;
    if (!shown)
        return;
    __atomic_store_n(reuse, htole32(le32toh(*reuse) + 1), __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void own(struct region *region)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(owner_of(region), &attributes);
    pthread_mutexattr_destroy(&attributes);
    pthread_mutex_lock(owner_of(region));
}

static int reopen_for_reading(int fd)
{
    char path[sizeof "/proc/self/fd/" + 10];

    /* A memfd is created with mode 0777: any process that has it could reopen it for writing. */
    if (fchmod(fd, 0444) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static uint64_t space_units(uint64_t used)
{
    return MAX(used + used / 2, SPACE_MIN_UNITS);
}

bool region_is_oversized(const struct region *region, unsigned space, uint64_t used)
{
    uint64_t size = region->spaces[space].end - region->spaces[space].start;

    return region->sealed && size / OVERSIZED >= space_units(used);
}

void region_share(struct region *region, uint64_t used, uint32_t heartbeat)
{
    struct kubesvc_snapshot_header *header;
    uint64_t half = space_units(used), first = region->spaces[0].start + half;

    if (region_resize(region, first + half) == 0) {
        region->spaces[0].end = first;
        region->spaces[1] = (struct region_space){.start = first, .end = first + half};
    }
    header = region_header(region);
    ATOMIC_WORDS(&header->root, offsetof(struct kubesvc_snapshot_header, version) -
                                    offsetof(struct kubesvc_snapshot_header, root));
    header->size = htole32((uint32_t)region->size);
    header->heartbeat = htole32(heartbeat);
    own(region);
    region->sealed = true;
    if (region->fd >= 0)
        region->reader_fd = reopen_for_reading(region->fd);
}
