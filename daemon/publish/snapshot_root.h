/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where readers find the published snapshot: the few words of memory shared by the writing thread
 * and the reading ones. A header only: all that matters is the memory order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/resolve/snapshot.h"
#include "lib/util/happens.h"

struct snapshot_root {
    const void *base;    /* of a region, atomic; NULL before the first publish */
    void *header;        /* the same where it may be written, atomic; NULL for an adopted region */
    int fd;              /* to be passed to other processes, atomic; -1: none */
    uint64_t generation; /* of regions, counted; atomic */
    uint32_t state; /* KUBESVC_SNAPSHOT_WATCHED or _STOPPED, carried over to new regions; atomic */
};

/* From any thread: what is published now; false: nothing yet. The view is valid until the thread
 * has told the writer that it has passed (see snapshot_writer.h). */
static inline bool snapshot_root_view(const struct snapshot_root *root, struct snapshot_view *view)
{
    const void *base = __atomic_load_n(&root->base, __ATOMIC_ACQUIRE);

    if (base == NULL || !snapshot_view_open(view, base, SIZE_MAX))
        return false;
    HAPPENS_AFTER(base);
    return true;
}

/* Must be passed on at once: it is valid as long as a view. -1: there is nothing to map. */
static inline int snapshot_root_fd(const struct snapshot_root *root)
{
    return __atomic_load_n(&root->fd, __ATOMIC_ACQUIRE);
}

/* A different number means a different region. */
static inline uint64_t snapshot_root_generation(const struct snapshot_root *root)
{
    return __atomic_load_n(&root->generation, __ATOMIC_ACQUIRE);
}

/* Before anything is published: readers of this process find the snapshot left by the previous
 * one. */
static inline void snapshot_root_adopt(struct snapshot_root *root, const void *base)
{
    __atomic_store_n(&root->base, base, __ATOMIC_RELEASE);
}

/* For the writer: from now on readers find this region, whose root is set. A concurrent state
 * change either is seen here, or finds the header: both sides store before they load. */
static inline void snapshot_root_set(struct snapshot_root *root,
                                     struct kubesvc_snapshot_header *header, int fd)
{
    __atomic_store_n(&root->header, header, __ATOMIC_SEQ_CST);
    __atomic_or_fetch(&header->state, htole32(__atomic_load_n(&root->state, __ATOMIC_SEQ_CST)),
                      __ATOMIC_RELEASE);
    __atomic_store_n(&root->fd, fd, __ATOMIC_RELEASE);
    __atomic_store_n(&root->base, header, __ATOMIC_RELEASE);
    __atomic_add_fetch(&root->generation, 1, __ATOMIC_RELEASE);
}

/* For the server, once a second: `seconds` of the monotonic clock, and the state shown to readers
 * in other processes. */
static inline void snapshot_root_beat(struct snapshot_root *root, uint32_t seconds, uint32_t state)
{
    struct kubesvc_snapshot_header *header;

    __atomic_store_n(&root->state, state, __ATOMIC_SEQ_CST);
    header = __atomic_load_n(&root->header, __ATOMIC_SEQ_CST);
    if (header == NULL)
        return;
    /* Bit by bit: the writer may be retiring this one concurrently. */
    __atomic_or_fetch(&header->state, htole32(state), __ATOMIC_RELEASE);
    if ((state & KUBESVC_SNAPSHOT_WATCHED) == 0)
        __atomic_and_fetch(&header->state, ~htole32(KUBESVC_SNAPSHOT_WATCHED), __ATOMIC_RELEASE);
    __atomic_store_n(&header->heartbeat, htole32(seconds), __ATOMIC_RELEASE);
}
