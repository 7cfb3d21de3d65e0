/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A compaction: copies the live part of a trie, which must not change meanwhile, to the other space
 * of its region or to a region of a better size. Readers of the old memory continue to read it; the
 * caller knows when it can be freed.
 */
#pragma once

#include "lib/util/between.h"
#include "trie.h"

/* Has the store shrunk so far that a copy goes into a smaller region? */
bool compaction_shrinks(const struct trie *trie);

/* Opens `copy` with everything that `trie` leads to, including unpublished changes, and room for at
 * least `units` more. Negative errno: there is no copy. */
MUST_USE int compaction_copy(struct trie *copy, const struct trie *trie, uint64_t units,
                             const struct between *between);
