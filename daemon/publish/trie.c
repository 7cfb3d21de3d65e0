/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A persistent hash array mapped trie. Each operation reserves the most that it can need before its
 * first change, so that it either happens or does not, and no pointer moves under it.
 *
 * A first load writes hundreds of thousands of records before any reader can see one. Copying the
 * path for each of them would leave many times the store as garbage; so nodes that no sealed state
 * shares are changed in place, and those that become too small are reused. There is no other reuse:
 * sealed nodes become garbage when replaced, and are left to compaction.
 */
#include "trie.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define PLACE_MASK ((UINT64_C(1) << KUBESVC_TRIE_BITS * KUBESVC_TRIE_LEVELS) - 1)

/* The branches above a place, from the root, and what is there: a leaf or nothing. */
struct path {
    uint32_t branches[KUBESVC_TRIE_LEVELS];
    unsigned depth;
    uint32_t end;
};

/* The leaves of one place. */
struct chain {
    uint32_t leaves[KUBESVC_CHAIN_LIMIT];
    unsigned n;
    unsigned match; /* how many come before the one with the key; n: none has it */
    uint64_t units; /* of these */
};

/* --- Nodes --- */

static struct kubesvc_leaf *leaf_at(const struct arena *arena, uint32_t ref)
{
    return arena_at(arena, ref);
}

static uint64_t leaf_units(size_t key_length, size_t record_length)
{
    return arena_units(sizeof(struct kubesvc_leaf)) + arena_units(key_length) +
           (uint64_t)arena_units(record_length);
}

static uint8_t *leaf_key(struct kubesvc_leaf *leaf)
{
    return (uint8_t *)(leaf + 1);
}

static uint8_t *leaf_record(struct kubesvc_leaf *leaf)
{
    return leaf_key(leaf) + (size_t)arena_units(le16toh(leaf->key_length)) * KUBESVC_SNAPSHOT_ALIGN;
}

uint32_t trie_leaf_units(const struct arena *arena, uint32_t ref)
{
    const struct kubesvc_leaf *leaf = leaf_at(arena, ref);

    return (uint32_t)leaf_units(le16toh(leaf->key_length), le32toh(leaf->record_length));
}

uint32_t trie_leaf_next(const struct arena *arena, uint32_t ref)
{
    return le32toh(leaf_at(arena, ref)->next);
}

void trie_leaf_link(const struct arena *arena, uint32_t ref, uint32_t next)
{
    leaf_at(arena, ref)->next = htole32(next);
}

static uint64_t leaf_hash(const struct arena *arena, uint32_t ref)
{
    return le64toh(leaf_at(arena, ref)->hash);
}

bool trie_is_branch(const struct arena *arena, uint32_t ref)
{
    const struct kubesvc_branch *branch = arena_at(arena, ref);

    return ref != 0 && branch->type == htole32(KUBESVC_NODE_BRANCH);
}

static uint32_t branch_units(uint32_t bitmap)
{
    return arena_units(sizeof(struct kubesvc_branch) +
                       (size_t)__builtin_popcount(bitmap) * sizeof(uint32_t));
}

/* Where a branch keeps the child of a slot, NULL if it has none. */
static uint32_t *branch_child(const struct arena *arena, uint32_t ref, unsigned slot)
{
    struct kubesvc_branch *branch = arena_at(arena, ref);
    uint32_t bitmap = le32toh(branch->bitmap), bit = UINT32_C(1) << slot;

    if ((bitmap & bit) == 0)
        return NULL;
    return (uint32_t *)(branch + 1) + __builtin_popcount(bitmap & (bit - 1));
}

void trie_children(const struct arena *arena, uint32_t ref, uint32_t children[static TRIE_FANOUT])
{
    const struct kubesvc_branch *branch = arena_at(arena, ref);
    const uint32_t *child = (const uint32_t *)(branch + 1);
    uint32_t bitmap = le32toh(branch->bitmap);

    for (unsigned slot = 0; slot < TRIE_FANOUT; slot++)
        children[slot] = (bitmap >> slot & 1) != 0 ? le32toh(*child++) : 0;
}

/* --- Memory --- */

static uint32_t trie_take(struct trie *trie, uint32_t units)
{
    uint32_t ref = units <= TRIE_BRANCH_UNITS_MAX ? trie->free[units] : 0;

    trie->live += units;
    if (ref == 0)
        return arena_take(&trie->arena, units);
    memcpy(&trie->free[units], arena_at(&trie->arena, ref), sizeof trie->free[units]);
    memset(arena_at(&trie->arena, ref), 0, (size_t)units * KUBESVC_SNAPSHOT_ALIGN);
    return ref;
}

static void trie_release(struct trie *trie, uint32_t ref, uint32_t units)
{
    trie->live -= units;
    if (ref < trie->sealed || units > TRIE_BRANCH_UNITS_MAX)
        return;
    memcpy(arena_at(&trie->arena, ref), &trie->free[units], sizeof trie->free[units]);
    trie->free[units] = ref;
}

int trie_open(struct trie *trie, const uint8_t seed[static 16], uint64_t units)
{
    *trie = (struct trie){0};
    int r = arena_open(&trie->arena, seed, units);
    trie->sealed = trie->arena.used;
    return r;
}

int trie_open_beside(struct trie *trie, const struct trie *beside, uint64_t units)
{
    *trie = (struct trie){0};
    int r = arena_open_beside(&trie->arena, &beside->arena, units);
    trie->sealed = trie->arena.used;
    return r;
}

void trie_close(struct trie *trie)
{
    arena_close(&trie->arena);
    *trie = (struct trie){0};
}

void trie_seal(struct trie *trie, uint32_t heartbeat)
{
    trie->sealed = trie->arena.used;
    memset(trie->free, 0, sizeof trie->free);
    arena_publish(&trie->arena, trie->root, heartbeat);
}

/* --- Branches --- */

uint32_t trie_join(struct trie *trie, const uint32_t children[static TRIE_FANOUT])
{
    struct kubesvc_branch *branch;
    uint32_t bitmap = 0, ref, *child;

    for (unsigned slot = 0; slot < TRIE_FANOUT; slot++)
        bitmap |= (uint32_t)(children[slot] != 0) << slot;
    if (bitmap == 0)
        return 0;
    if ((bitmap & (bitmap - 1)) == 0) {
        ref = children[__builtin_ctz(bitmap)];
        if (!trie_is_branch(&trie->arena, ref))
            return ref;
    }

    ref = trie_take(trie, branch_units(bitmap));
    branch = arena_at(&trie->arena, ref);
    branch->type = htole32(KUBESVC_NODE_BRANCH);
    branch->bitmap = htole32(bitmap);
    child = (uint32_t *)(branch + 1);
    for (unsigned slot = 0; slot < TRIE_FANOUT; slot++)
        if (children[slot] != 0)
            *child++ = htole32(children[slot]);
    return ref;
}

/* The branch at `ref` with another child (0: without one) in a slot; returns its replacement. */
static uint32_t branch_with(struct trie *trie, uint32_t ref, unsigned slot, uint32_t child)
{
    const struct kubesvc_branch *branch = arena_at(&trie->arena, ref);
    uint32_t children[TRIE_FANOUT], *old = branch_child(&trie->arena, ref, slot);
    bool stays = child != 0 && (le32toh(branch->bitmap) & (le32toh(branch->bitmap) - 1)) != 0;

    if (ref >= trie->sealed && old != NULL && (stays || trie_is_branch(&trie->arena, child))) {
        *old = htole32(child);
        return ref;
    }
    trie_children(&trie->arena, ref, children);
    children[slot] = child;
    trie_release(trie, ref, branch_units(le32toh(branch->bitmap)));
    return trie_join(trie, children);
}

/* Puts `child` at the end of a path, changing only as many branches above it as necessary. */
static void path_replace(struct trie *trie, const struct path *path, uint64_t hash, uint32_t child)
{
    for (unsigned level = path->depth; level-- > 0;) {
        uint32_t old = path->branches[level];

        child = branch_with(trie, old, trie_slot(hash, level), child);
        if (child == old)
            return;
    }
    trie->root = child;
}

static struct path path_find(const struct trie *trie, uint64_t hash)
{
    struct path path = {.end = trie->root};

    while (path.depth < KUBESVC_TRIE_LEVELS && trie_is_branch(&trie->arena, path.end)) {
        const uint32_t *child = branch_child(&trie->arena, path.end, trie_slot(hash, path.depth));

        path.branches[path.depth++] = path.end;
        path.end = child == NULL ? 0 : le32toh(*child);
    }
    return path;
}

/* --- Leaves --- */

static uint32_t leaf_new(struct trie *trie, uint64_t hash, const void *key, size_t key_length,
                         const void *record, size_t record_length, uint32_t next)
{
    uint32_t ref = trie_take(trie, (uint32_t)leaf_units(key_length, record_length));
    struct kubesvc_leaf *leaf = leaf_at(&trie->arena, ref);

    leaf->type = htole16(KUBESVC_NODE_LEAF);
    leaf->key_length = htole16((uint16_t)key_length);
    leaf->next = htole32(next);
    leaf->hash = htole64(hash);
    leaf->record_length = htole32((uint32_t)record_length);
    memcpy(leaf_key(leaf), key, key_length);
    if (record_length > 0)
        memcpy(leaf_record(leaf), record, record_length);
    return ref;
}

static bool leaf_has_key(const struct arena *arena, uint32_t ref, const void *key, size_t length)
{
    struct kubesvc_leaf *leaf = leaf_at(arena, ref);

    return le16toh(leaf->key_length) == length && memcmp(leaf_key(leaf), key, length) == 0;
}

static bool leaf_has_record(const struct arena *arena, uint32_t ref, const void *record,
                            size_t length)
{
    struct kubesvc_leaf *leaf = leaf_at(arena, ref);

    return le32toh(leaf->record_length) == length &&
           (length == 0 || memcmp(leaf_record(leaf), record, length) == 0);
}

static struct chain chain_find(const struct arena *arena, uint32_t ref, const void *key,
                               size_t length)
{
    struct chain chain = {.n = 0};
    bool found = false;

    for (; ref != 0 && chain.n < KUBESVC_CHAIN_LIMIT; ref = trie_leaf_next(arena, ref)) {
        found = found || leaf_has_key(arena, ref, key, length);
        if (!found) {
            chain.match++;
            chain.units += trie_leaf_units(arena, ref);
        }
        chain.leaves[chain.n++] = ref;
    }
    return chain;
}

static uint32_t chain_after_match(const struct chain *chain)
{
    return chain->match + 1 < chain->n ? chain->leaves[chain->match + 1] : 0;
}

uint32_t trie_copy_leaf(struct trie *trie, const struct arena *from, uint32_t ref)
{
    uint32_t units = trie_leaf_units(from, ref), copy = trie_take(trie, units);

    memcpy(arena_at(&trie->arena, copy), arena_at(from, ref),
           (size_t)units * KUBESVC_SNAPSHOT_ALIGN);
    return copy;
}

/* Replaces the matching leaf by `next` and returns the head of the chain. */
static uint32_t chain_replace(struct trie *trie, const struct chain *chain, uint32_t next)
{
    uint32_t match = chain->leaves[chain->match];

    for (unsigned i = chain->match; i-- > 0;) {
        uint32_t ref = chain->leaves[i];

        if (ref < trie->sealed) {
            ref = trie_copy_leaf(trie, &trie->arena, ref);
            trie->live -= trie_leaf_units(&trie->arena, ref); /* of the one before */
        }
        trie_leaf_link(&trie->arena, ref, next);
        next = ref;
    }
    trie_release(trie, match, trie_leaf_units(&trie->arena, match));
    return next;
}

/* --- Changes --- */

/* What a changed path, a new leaf and the branches that tell two leaves apart need at most. */
static uint64_t change_units(uint64_t leaves)
{
    return leaves + (uint64_t)(KUBESVC_TRIE_LEVELS + 1) * TRIE_BRANCH_UNITS_MAX +
           KUBESVC_TRIE_LEVELS * branch_units(1) + branch_units(3);
}

/* Branches that tell two leaves apart, from `level` down. */
static uint32_t split(struct trie *trie, unsigned level, uint32_t a, uint64_t a_hash, uint32_t b,
                      uint64_t b_hash)
{
    unsigned bottom = level;
    uint32_t children[TRIE_FANOUT] = {0}, ref;

    while (trie_slot(a_hash, bottom) == trie_slot(b_hash, bottom))
        bottom++;
    children[trie_slot(a_hash, bottom)] = a;
    children[trie_slot(b_hash, bottom)] = b;
    ref = trie_join(trie, children);
    while (bottom-- > level) {
        memset(children, 0, sizeof children);
        children[trie_slot(a_hash, bottom)] = ref;
        ref = trie_join(trie, children);
    }
    return ref;
}

int trie_put(struct trie *trie, uint64_t hash, const void *key, size_t key_length,
             const void *record, size_t record_length)
{
    struct path path = path_find(trie, hash);
    struct chain chain = {.n = 0};
    uint32_t leaf;

    if (key_length > UINT16_MAX || record_length > UINT32_MAX)
        return -ENOSPC;
    if (path.end != 0 && ((leaf_hash(&trie->arena, path.end) ^ hash) & PLACE_MASK) == 0)
        chain = chain_find(&trie->arena, path.end, key, key_length);
    if (chain.match < chain.n &&
        leaf_has_record(&trie->arena, chain.leaves[chain.match], record, record_length))
        return 0;
    if (chain.match == chain.n && chain.n == KUBESVC_CHAIN_LIMIT)
        return -ENOSPC;
    int r = arena_reserve(&trie->arena,
                          change_units(chain.units + leaf_units(key_length, record_length)));
    if (r < 0)
        return r;

    if (chain.match < chain.n) {
        leaf =
            leaf_new(trie, hash, key, key_length, record, record_length, chain_after_match(&chain));
        path_replace(trie, &path, hash, chain_replace(trie, &chain, leaf));
        return TRIE_CHANGED;
    }
    leaf = leaf_new(trie, hash, key, key_length, record, record_length, chain.n > 0 ? path.end : 0);
    if (path.end != 0 && chain.n == 0)
        leaf = split(trie, path.depth, path.end, leaf_hash(&trie->arena, path.end), leaf, hash);
    path_replace(trie, &path, hash, leaf);
    trie->records++;
    return TRIE_CHANGED;
}

int trie_remove(struct trie *trie, uint64_t hash, const void *key, size_t key_length)
{
    struct path path = path_find(trie, hash);

    if (path.end == 0 || ((leaf_hash(&trie->arena, path.end) ^ hash) & PLACE_MASK) != 0)
        return 0;
    struct chain chain = chain_find(&trie->arena, path.end, key, key_length);
    if (chain.match == chain.n)
        return 0;
    int r = arena_reserve(&trie->arena, change_units(chain.units));
    if (r < 0)
        return r;
    path_replace(trie, &path, hash, chain_replace(trie, &chain, chain_after_match(&chain)));
    trie->records--;
    return TRIE_CHANGED;
}
