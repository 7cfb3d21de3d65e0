/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory that snapshots lie in: one memfd with the header of include/kubesvc/snapshot.h and two
 * spaces behind it, so that what is live can be copied from one into the other and every process
 * that has it mapped stays with it. Where there is no descriptor for one or the limit of file
 * sizes forbids it, it is private memory. Until it is shared it has one space, which grows (and may
 * move); from then on it is sealed, and stays where and as large as it is.
 *
 * Sizes and places are in units of KUBESVC_SNAPSHOT_ALIGN bytes. One thread writes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/util/error.h"
#include <kubesvc/snapshot.h>

struct region {
    unsigned references;
    int fd;        /* for the writer; -1: private memory */
    int reader_fd; /* opened for reading only, to be passed on; -1: not shared */
    uint8_t *base;
    uint64_t size;
    bool sealed;
    struct region_space {
        uint64_t start, end; /* both 0: there is no such space */
        uint64_t committed;  /* memory is allocated up to here */
        bool taken;          /* by an arena */
        bool written;        /* by this arena or one before it */
        bool shown;          /* a root has led into it since it was taken */
    } spaces[2];
};

/* A header with this seed and no root, and a first space of at least `units`. Negative errno. */
MUST_USE int region_new(struct region **regionp, const uint8_t seed[static 16], uint64_t units);
struct region *region_ref(struct region *region);
struct region *
region_unref(struct region *region); /* returns NULL; from the thread that shared it */

/* Makes the first space end at `end` at least; only before it is shared. -ENOMEM */
MUST_USE int region_grow(struct region *region, uint64_t end);

/* Makes sure that writing up to `end` of a space does not fail for lack of memory. -ENOMEM */
MUST_USE int region_commit(struct region *region, unsigned space, uint64_t end);

/* Takes a space without an arena. Readers in other processes that may still be reading the old
 * contents are warned first. */
void region_take(struct region *region, unsigned space);

/* Is a space at least four times as large as one for `used` units would be? */
bool region_is_oversized(const struct region *region, unsigned space, uint64_t used);

/* Gives it its final size, two spaces of half as much again as `used` each, and seals it. If that
 * fails it stays private to the daemon. `heartbeat` is the time. */
void region_share(struct region *region, uint64_t used, uint32_t heartbeat);

static inline struct kubesvc_snapshot_header *region_header(const struct region *region)
{
    return (void *)region->base;
}
