/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trie of a snapshot, as its writer sees it: put and remove by copying the path above the
 * changed leaf, so that sealed nodes never change. Knows no hash function: hashes are passed in.
 *
 * The shape depends on the keys alone, not on the order of changes: a branch whose only child is a
 * leaf is replaced by that leaf.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"

#define TRIE_FANOUT (1u << KUBESVC_TRIE_BITS)
#define TRIE_BRANCH_UNITS_MAX (1u + TRIE_FANOUT / 2) /* a full branch */

struct trie {
    struct arena arena;
    uint32_t root;
    uint32_t sealed; /* nodes from this ref on belong to no sealed state: they may be changed */
    uint32_t free[TRIE_BRANCH_UNITS_MAX + 1]; /* free ones of these nodes, by size, linked */
    uint64_t live;                            /* units that the root leads to */
    uint64_t records;
};

enum { TRIE_CHANGED = 1 };

/* Empty, with room for at least `units`. -ENOMEM */
MUST_USE int trie_open(struct trie *trie, const uint8_t seed[static 16], uint64_t units);
/* The same in the other space of the region that `beside` is in; -ENOBUFS: see arena.h. */
MUST_USE int trie_open_beside(struct trie *trie, const struct trie *beside, uint64_t units);
void trie_close(struct trie *trie);

/* TRIE_CHANGED; 0: no change was needed. Negative (those of arena_reserve): nothing has changed. */
MUST_USE int trie_put(struct trie *trie, uint64_t hash, const void *key, size_t key_length,
                      const void *record, size_t record_length);
MUST_USE int trie_remove(struct trie *trie, uint64_t hash, const void *key, size_t key_length);

/* Seals all existing nodes and publishes them, at the time of `heartbeat`. */
void trie_seal(struct trie *trie, uint32_t heartbeat);

/* --- Nodes, for copying --- */

/* Is there a branch at `ref`? Else there is a leaf, or nothing when it is 0. */
bool trie_is_branch(const struct arena *arena, uint32_t ref);

/* The children of a branch into `children`, 0 where there is none. */
void trie_children(const struct arena *arena, uint32_t ref, uint32_t children[static TRIE_FANOUT]);

/* The place of these children among others: 0 for none, the leaf itself where it is the only one,
 * or a new branch. TRIE_BRANCH_UNITS_MAX must have been reserved. */
uint32_t trie_join(struct trie *trie, const uint32_t children[static TRIE_FANOUT]);

/* Copies a leaf into `trie`, where its units (trie_leaf_units) must have been reserved. */
uint32_t trie_copy_leaf(struct trie *trie, const struct arena *from, uint32_t ref);

/* The size of the leaf at `ref`, and what follows in its chain (0: nothing). */
uint32_t trie_leaf_units(const struct arena *arena, uint32_t ref);
uint32_t trie_leaf_next(const struct arena *arena, uint32_t ref);
void trie_leaf_link(const struct arena *arena, uint32_t ref, uint32_t next);

static inline unsigned trie_slot(uint64_t hash, unsigned level)
{
    return (unsigned)(hash >> level * KUBESVC_TRIE_BITS) & (TRIE_FANOUT - 1);
}
