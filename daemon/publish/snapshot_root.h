/*
 * Where readers find the published snapshot: the one word of memory that the thread that writes it
 * and those that read it share. A header only: there is nothing to it but the order of memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/resolve/snapshot.h"

struct snapshot_root {
    const void *base; /* of an arena, atomic; NULL before the first publish */
};

/* From any thread: what is published now; false: nothing yet. The view is valid until the thread
 * has told the writer that it has passed (see snapshot_writer.h). */
static inline bool snapshot_root_view(const struct snapshot_root *root, struct snapshot_view *view)
{
    const void *base = __atomic_load_n(&root->base, __ATOMIC_ACQUIRE);

    return base != NULL && snapshot_view_open(view, base, SIZE_MAX);
}

/* The writer's: from now on readers find this arena, whose root is set. */
static inline void snapshot_root_set(struct snapshot_root *root, const void *base)
{
    __atomic_store_n(&root->base, base, __ATOMIC_RELEASE);
}
