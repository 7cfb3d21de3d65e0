/*
 * A compaction: the live part of a trie on its way into a new arena, slot by slot, while the trie
 * goes on changing. A slot is a 1024th of all hashes; one that changes after it was copied is
 * copied again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "trie.h"

struct compaction;

/* An empty arena of the same seed, nothing copied yet. */
MUST_USE int compaction_new(struct compaction **compactionp, const uint8_t seed[static 16]);
struct compaction *compaction_free(struct compaction *compaction); /* returns NULL */

/* The key of this hash has changed. */
void compaction_touch(struct compaction *compaction, uint64_t hash);

/* Copies at least one slot, and more for about `budget` microseconds. 1: there is more to copy; 0:
 * all is copied; negative errno. */
MUST_USE int compaction_step(struct compaction *compaction, const struct trie *trie,
                             uint64_t budget);

/* Once all is copied: the copy takes the place of `trie`, sealed. */
MUST_USE int compaction_switch(struct compaction *compaction, struct trie *trie);

/* Has the switch been made? Then only the old arena is left to be released: 1 while there is more
 * of it, 0 when it is gone. */
bool compaction_is_switched(const struct compaction *compaction);
int compaction_release(struct compaction *compaction);
