/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a snapshot: SipHash-2-4 and the walk down the trie.
 *
 * Another process may be writing the arena, so a damaged one must cost no more than a missed name:
 * fields are read once into locals, refs are checked against the size of the view, and the walk is
 * bounded by the levels of the trie and by KUBESVC_CHAIN_LIMIT. Interpreting records is up to the
 * resolver.
 */
#include "snapshot.h"

#include <string.h>

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline uint64_t load_u64(const uint8_t bytes[static 8])
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return le64toh(value);
}

static inline void sip_rounds(uint64_t v[static 4], unsigned n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

uint64_t snapshot_hash(const uint8_t seed[static 16], const void *key, size_t length)
{
    const uint8_t *bytes = key;
    uint64_t k0 = load_u64(seed), k1 = load_u64(seed + 8);
    uint64_t v[4] = {
        k0 ^ 0x736f6d6570736575u,
        k1 ^ 0x646f72616e646f6du,
        k0 ^ 0x6c7967656e657261u,
        k1 ^ 0x7465646279746573u,
    };
    uint8_t last[8] = {[7] = (uint8_t)length};
    size_t whole = length & ~(size_t)7;

    for (size_t i = 0; i < whole; i += 8) {
        uint64_t word = load_u64(bytes + i);

        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
    }
    if (length > whole)
        memcpy(last, bytes + whole, length - whole);
    v[3] ^= load_u64(last);
    sip_rounds(v, 2);
    v[0] ^= load_u64(last);

    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

bool snapshot_view_open(struct snapshot_view *view, const void *base, size_t size)
{
    const struct kubesvc_snapshot_header *header = base;
    uint64_t used;

    *view = (struct snapshot_view){0};
    if (size < sizeof *header || snapshot_u32(&header->magic) != KUBESVC_SNAPSHOT_MAGIC)
        return false;

    /* The writer stores the size first and the root last: everything this root leads to lies
     * inside. */
    view->root = le32toh(__atomic_load_n(&header->root, __ATOMIC_ACQUIRE));
    used = (uint64_t)snapshot_u32(&header->size) * KUBESVC_SNAPSHOT_ALIGN;
    if (view->root == 0 || used > size)
        return false;
    view->base = base;
    view->size = (size_t)used;
    memcpy(view->seed, header->seed, sizeof view->seed);
    return true;
}

/* `length` bytes of the node at `ref`, NULL if they do not lie inside the arena. */
static const uint8_t *node(const struct snapshot_view *view, uint32_t ref, uint64_t length)
{
    uint64_t offset = (uint64_t)ref * KUBESVC_SNAPSHOT_ALIGN;

    if (offset < sizeof(struct kubesvc_snapshot_header) || offset > view->size ||
        length > view->size - offset)
        return NULL;
    return view->base + offset;
}

static inline uint64_t padded(uint32_t length)
{
    return ((uint64_t)length + 7) & ~UINT64_C(7);
}

/* Not every processor counts bits itself, and the compiler would call a library function. */
static inline unsigned count_bits(uint32_t bits)
{
    bits -= bits >> 1 & 0x55555555u;
    bits = (bits & 0x33333333u) + (bits >> 2 & 0x33333333u);
    return ((bits + (bits >> 4)) & 0x0f0f0f0fu) * 0x01010101u >> 24;
}

static bool leaf_has_hash(const uint8_t *leaf, uint64_t hash)
{
    const uint8_t *field = leaf + offsetof(struct kubesvc_leaf, hash);

    return snapshot_u32(field) == (uint32_t)hash && snapshot_u32(field + 4) == hash >> 32;
}

/* Walks a chain of leaves from `ref`. */
static struct snapshot_record find_leaf(const struct snapshot_view *view, uint32_t ref,
                                        uint64_t hash, const void *key, size_t length)
{
    for (unsigned i = 0; ref != 0 && i < KUBESVC_CHAIN_LIMIT; i++) {
        const uint8_t *leaf = node(view, ref, sizeof(struct kubesvc_leaf));
        uint32_t word, record_length;

        if (leaf == NULL)
            break;
        word = snapshot_u32(leaf); /* type and key_length together */
        if ((word & 0xffff) != KUBESVC_NODE_LEAF)
            break;
        record_length = snapshot_u32(leaf + offsetof(struct kubesvc_leaf, record_length));
        if (node(view, ref,
                 sizeof(struct kubesvc_leaf) + padded(word >> 16) + padded(record_length)) == NULL)
            break;
        if (word >> 16 == length && leaf_has_hash(leaf, hash) &&
            memcmp(leaf + sizeof(struct kubesvc_leaf), key, length) == 0)
            return (struct snapshot_record){leaf + sizeof(struct kubesvc_leaf) + padded(word >> 16),
                                            record_length};
        ref = snapshot_u32(leaf + offsetof(struct kubesvc_leaf, next));
    }
    return (struct snapshot_record){NULL, 0};
}

struct snapshot_record snapshot_find_hashed(const struct snapshot_view *view, uint64_t hash,
                                            const void *key, size_t length)
{
    uint32_t ref = view->root;

    for (unsigned level = 0; level < KUBESVC_TRIE_LEVELS; level++) {
        uint32_t bit = UINT32_C(1) << (hash >> level * KUBESVC_TRIE_BITS & 31);
        const uint8_t *branch = node(view, ref, sizeof(struct kubesvc_branch));
        uint32_t bitmap, index;

        if (branch == NULL || snapshot_u32(branch) != KUBESVC_NODE_BRANCH)
            break;
        bitmap = snapshot_u32(branch + offsetof(struct kubesvc_branch, bitmap));
        if ((bitmap & bit) == 0)
            return (struct snapshot_record){NULL, 0};
        index = count_bits(bitmap & (bit - 1));
        branch = node(view, ref, sizeof(struct kubesvc_branch) + (index + 1) * sizeof(uint32_t));
        if (branch == NULL)
            return (struct snapshot_record){NULL, 0};
        ref = snapshot_u32(branch + sizeof(struct kubesvc_branch) + index * sizeof(uint32_t));
    }
    return find_leaf(view, ref, hash, key, length);
}

struct snapshot_record snapshot_find(const struct snapshot_view *view, const void *key,
                                     size_t length)
{
    return snapshot_find_hashed(view, snapshot_hash(view->seed, key, length), key, length);
}

const uint8_t *snapshot_bytes(struct snapshot_record record, uint32_t offset, uint64_t length)
{
    if (record.data == NULL || offset > record.length || length > record.length - offset)
        return NULL;
    return record.data + offset;
}

const uint8_t *snapshot_span(struct snapshot_record record, const struct kubesvc_span *span,
                             uint32_t *length)
{
    const uint8_t *bytes;

    *length = snapshot_u32(&span->length);
    bytes = snapshot_bytes(record, snapshot_u32(&span->offset), *length);
    if (bytes == NULL)
        *length = 0;
    return bytes;
}

const uint8_t *snapshot_table(struct snapshot_record record, const struct kubesvc_span *span,
                              uint32_t stride, uint32_t *count)
{
    uint32_t length;
    const uint8_t *table = snapshot_span(record, span, &length);

    /* Unaligned fields could not be read atomically; no writer creates them. */
    if (table != NULL && (uintptr_t)table % sizeof(uint32_t) != 0)
        table = NULL;
    *count = table == NULL ? 0 : length / stride;
    return table;
}
