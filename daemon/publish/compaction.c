/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A copy keeps the shape of the trie, so records move as they are and nothing is hashed again.
 * Leaves come first and branches after them, so that each is written once, with its children's new
 * refs.
 */
#include "compaction.h"

#include <errno.h>

/* Each step may reserve more than it takes. */
#define SLACK_UNITS 4096u

static int copy_chain(struct trie *copy, const struct trie *trie, uint32_t ref, uint32_t *refp)
{
    uint32_t last = 0;

    for (*refp = 0; ref != 0; ref = trie_leaf_next(&trie->arena, ref)) {
        int r = arena_reserve(&copy->arena, trie_leaf_units(&trie->arena, ref));
        if (r < 0)
            return r;
        uint32_t leaf = trie_copy_leaf(copy, &trie->arena, ref);
        trie_leaf_link(&copy->arena, leaf, 0);
        if (last == 0)
            *refp = leaf;
        else
            trie_leaf_link(&copy->arena, last, leaf);
        last = leaf;
    }
    return 0;
}

/* Recursion is as deep as the trie has levels. */
static int copy_node(struct trie *copy, const struct trie *trie, uint32_t ref, uint32_t *refp,
                     const struct between *between)
{
    uint32_t children[TRIE_FANOUT];
    int r = 0;

    if (!trie_is_branch(&trie->arena, ref))
        return copy_chain(copy, trie, ref, refp);

    trie_children(&trie->arena, ref, children);
    for (unsigned i = 0; r >= 0 && i < TRIE_FANOUT; i++)
        if (children[i] != 0)
            r = copy_node(copy, trie, children[i], &children[i], between);
    if (r >= 0)
        r = arena_reserve(&copy->arena, TRIE_BRANCH_UNITS_MAX);
    if (r < 0)
        return r;
    *refp = trie_join(copy, children);
    between_pieces(between);
    return 0;
}

bool compaction_shrinks(const struct trie *trie)
{
    return region_is_oversized(trie->arena.region, trie->arena.space, trie->live);
}

int compaction_copy(struct trie *copy, const struct trie *trie, uint64_t units,
                    const struct between *between)
{
    int r = -ENOBUFS;

    /* In place, in the other space, if that leaves room for changes: readers then keep the
     * region. */
    if (!compaction_shrinks(trie))
        r = trie_open_beside(copy, trie, trie->live + trie->live / 4 + units + SLACK_UNITS);
    if (r == -ENOBUFS)
        r = trie_open(copy, region_header(trie->arena.region)->seed, 2 * trie->live + units);
    if (r < 0)
        return r;
    r = copy_node(copy, trie, trie->root, &copy->root, between);
    if (r < 0)
        trie_close(copy);
    else
        copy->records = trie->records;
    return r;
}
