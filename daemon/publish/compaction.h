/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A compaction: the live part of a trie copied into memory of its own, in one go: the other space
 * of its region, or a region of a better size. Readers of the old memory go on reading it; when it
 * may be given back is the caller's to know.
 */
#pragma once

#include "trie.h"

/* Has the store shrunk so far that a copy goes into a smaller region? */
bool compaction_shrinks(const struct trie *trie);

/* Opens `copy` with all that `trie` leads to, what is not published yet included, and room for
 * `units` more at least. Negative errno: there is no copy. */
MUST_USE int compaction_copy(struct trie *copy, const struct trie *trie, uint64_t units);
