/*
 * Copies keep the shape of the trie, so records move as they are and nothing is hashed again. The
 * two upper levels are put together at the end: until then the slots stand alone, and a changed
 * slot can be copied again without touching the others.
 *
 * Copies that were copied again are garbage in the new arena. When changes come so fast that this
 * garbage outgrows the store, the copy is started afresh: memory stays bounded, and the changes,
 * which have the event loop's priority, will pause some day.
 */
#include "compaction.h"

#include <glib.h>
#include <string.h>
#include <time.h>

#define SLOT_LEVELS 2
#define SLOTS (1u << SLOT_LEVELS * KUBESVC_TRIE_BITS)

struct slot {
    uint32_t ref;
    uint32_t units;
    bool copied;
};

struct compaction {
    struct trie copy; /* its root is set at the end */
    struct slot slots[SLOTS];
    unsigned cursor, remaining;
    uint64_t garbage; /* units of `copy` */
    struct arena old; /* after the switch */
    uint8_t seed[16];
};

static int restart(struct compaction *compaction)
{
    trie_close(&compaction->copy);
    memset(compaction->slots, 0, sizeof compaction->slots);
    compaction->cursor = 0;
    compaction->remaining = SLOTS;
    compaction->garbage = 0;
    return trie_open(&compaction->copy, compaction->seed);
}

int compaction_new(struct compaction **compactionp, const uint8_t seed[static 16])
{
    struct compaction *compaction = g_new0(struct compaction, 1);
    int r;

    memcpy(compaction->seed, seed, sizeof compaction->seed);
    r = restart(compaction);
    if (r < 0)
        compaction = compaction_free(compaction);
    *compactionp = compaction;
    return r;
}

struct compaction *compaction_free(struct compaction *compaction)
{
    if (compaction == NULL)
        return NULL;
    trie_close(&compaction->copy);
    arena_close(&compaction->old);
    g_free(compaction);
    return NULL;
}

void compaction_touch(struct compaction *compaction, uint64_t hash)
{
    struct slot *slot = &compaction->slots[hash % SLOTS];

    if (!slot->copied)
        return;
    compaction->garbage += slot->units;
    compaction->copy.live -= slot->units;
    *slot = (struct slot){0};
    compaction->remaining++;
}

/* What stands at the top of a slot; a leaf above it belongs to the slot of its hash. */
static uint32_t find_slot(const struct trie *trie, unsigned slot)
{
    uint32_t ref = trie->root, children[TRIE_FANOUT];

    for (unsigned level = 0; level < SLOT_LEVELS && trie_is_branch(&trie->arena, ref); level++) {
        trie_children(&trie->arena, ref, children);
        ref = children[trie_slot(slot, level)];
        if (level + 1 == SLOT_LEVELS)
            return ref;
    }
    return ref != 0 && trie_leaf_hash(&trie->arena, ref) % SLOTS == slot ? ref : 0;
}

static int copy_leaf(struct trie *copy, const struct trie *trie, uint32_t ref, uint32_t *refp)
{
    uint32_t units = trie_leaf_units(&trie->arena, ref);
    int r;

    r = arena_reserve(&copy->arena, units);
    if (r < 0)
        return r;
    *refp = trie_take(copy, units);
    memcpy(arena_at(&copy->arena, *refp), arena_at(&trie->arena, ref),
           (size_t)units * KUBESVC_SNAPSHOT_ALIGN);
    trie_leaf_link(&copy->arena, *refp, 0);
    return 0;
}

static int copy_chain(struct trie *copy, const struct trie *trie, uint32_t ref, uint32_t *refp)
{
    uint32_t last = 0, leaf;
    int r;

    for (*refp = 0; ref != 0; ref = trie_leaf_next(&trie->arena, ref)) {
        r = copy_leaf(copy, trie, ref, &leaf);
        if (r < 0)
            return r;
        if (last == 0)
            *refp = leaf;
        else
            trie_leaf_link(&copy->arena, last, leaf);
        last = leaf;
    }
    return 0;
}

/* Recursion is as deep as the trie has levels. */
static int copy_node(struct trie *copy, const struct trie *trie, uint32_t ref, uint32_t *refp)
{
    uint32_t children[TRIE_FANOUT];
    int r;

    if (!trie_is_branch(&trie->arena, ref))
        return copy_chain(copy, trie, ref, refp);

    trie_children(&trie->arena, ref, children);
    for (unsigned i = 0; i < TRIE_FANOUT; i++) {
        if (children[i] == 0)
            continue;
        r = copy_node(copy, trie, children[i], &children[i]);
        if (r < 0)
            return r;
    }
    r = arena_reserve(&copy->arena, TRIE_BRANCH_UNITS_MAX);
    if (r < 0)
        return r;
    *refp = trie_join(copy, children);
    return 0;
}

static int copy_slot(struct compaction *compaction, const struct trie *trie, unsigned i)
{
    struct slot *slot = &compaction->slots[i];
    uint64_t before = compaction->copy.live;
    int r;

    r = copy_node(&compaction->copy, trie, find_slot(trie, i), &slot->ref);
    if (r < 0)
        return r;
    slot->units = (uint32_t)(compaction->copy.live - before);
    slot->copied = true;
    compaction->remaining--;
    return 0;
}

static uint64_t now_usec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int compaction_step(struct compaction *compaction, const struct trie *trie, uint64_t budget)
{
    uint64_t end = now_usec() + budget;
    int r;

    if (compaction->garbage > trie->live) {
        r = restart(compaction);
        if (r < 0)
            return r;
    }
    while (compaction->remaining > 0) {
        unsigned i = compaction->cursor++ % SLOTS;

        if (compaction->slots[i].copied)
            continue;
        r = copy_slot(compaction, trie, i);
        if (r < 0)
            return r;
        if (now_usec() >= end)
            break;
    }
    return compaction->remaining > 0;
}

int compaction_switch(struct compaction *compaction, struct trie *trie)
{
    struct trie *copy = &compaction->copy;
    uint32_t upper[TRIE_FANOUT], lower[TRIE_FANOUT];
    int r;

    r = arena_reserve(&copy->arena, (TRIE_FANOUT + 1) * TRIE_BRANCH_UNITS_MAX);
    if (r < 0)
        return r;
    for (unsigned i = 0; i < TRIE_FANOUT; i++) {
        for (unsigned j = 0; j < TRIE_FANOUT; j++)
            lower[j] = compaction->slots[i | j << KUBESVC_TRIE_BITS].ref;
        upper[i] = trie_join(copy, lower);
    }
    copy->root = trie_join(copy, upper);
    copy->records = trie->records;
    compaction->old = trie->arena;
    *trie = *copy;
    *copy = (struct trie){0};
    memset(compaction->slots, 0, sizeof compaction->slots); /* nothing is left to be touched */
    trie_seal(trie);
    return 0;
}

bool compaction_is_switched(const struct compaction *compaction)
{
    return compaction->old.base != NULL;
}

int compaction_release(struct compaction *compaction)
{
    return arena_close_step(&compaction->old);
}
