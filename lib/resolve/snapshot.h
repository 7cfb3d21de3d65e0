/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a snapshot (include/kubesvc/snapshot.h): finding the record of a key in the trie.
 *
 * Uses libc only, allocates nothing, takes no lock, trusts nothing in the arena.
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kubesvc/snapshot.h>

/* One consistent state of an arena: the root is read once, when the view is opened. */
struct snapshot_view {
    const uint8_t *base;
    size_t size; /* bytes that may be read */
    uint32_t root;
    uint8_t seed[16];
};

/* The bytes of one record; data is aligned to 8 and NULL when there is none. */
struct snapshot_record {
    const uint8_t *data;
    uint32_t length;
};

/* Opens the current state of the arena at `base` (aligned to 8) of `size` bytes. Returns false if
 * it is not a snapshot or nothing has been published in it yet. */
bool snapshot_view_open(struct snapshot_view *view, const void *base, size_t size);

/* SipHash-2-4 of `length` bytes. */
uint64_t snapshot_hash(const uint8_t seed[static 16], const void *key, size_t length);

/* Finds the record of a key; data is NULL if there is none or the arena is damaged there. */
struct snapshot_record snapshot_find(const struct snapshot_view *view, const void *key,
                                     size_t length);

/* The same with the key's hash already computed. */
struct snapshot_record snapshot_find_hashed(const struct snapshot_view *view, uint64_t hash,
                                            const void *key, size_t length);

/* `length` bytes at `offset` of a record, NULL if they do not lie inside it. */
const uint8_t *snapshot_bytes(struct snapshot_record record, uint32_t offset, uint64_t length);

/* A field of the arena, aligned to 4: read exactly once, as it may be written concurrently. */
static inline uint32_t snapshot_u32(const void *field)
{
    return le32toh(__atomic_load_n((const uint32_t *)field, __ATOMIC_RELAXED));
}

/* The bytes of a span that is itself part of the record; NULL if they do not lie inside it. */
const uint8_t *snapshot_span(struct snapshot_record record, const struct kubesvc_span *span,
                             uint32_t *length);

/* The same for a table of structs of 32-bit fields, `stride` bytes each; `count` receives the
 * number of whole entries. */
const uint8_t *snapshot_table(struct snapshot_record record, const struct kubesvc_span *span,
                              uint32_t stride, uint32_t *count);
