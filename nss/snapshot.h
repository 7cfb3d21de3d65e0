/*
 * Reading a snapshot (include/kubesvc/snapshot.h): finding the record of a key in the trie.
 *
 * Uses libc only, allocates nothing, takes no lock, trusts nothing in the arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kubesvc/snapshot.h>

/* One consistent state of an arena: the root is read once, when the view is made. */
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

/* Opens the current state of the arena at `base` (aligned to 8) of `size` bytes.
 * Returns false if this is no snapshot or nothing has been published in it yet. */
bool snapshot_view_open(struct snapshot_view *view, const void *base, size_t size);

/* SipHash-2-4 of `length` bytes. */
uint64_t snapshot_hash(const uint8_t seed[static 16], const void *key, size_t length);

/* Finds the record of a key; data is NULL if there is none or the arena is damaged there. */
struct snapshot_record snapshot_find(const struct snapshot_view *view, const void *key,
                                     size_t length);

/* `length` bytes at `offset` of a record, NULL where they do not lie inside it. */
const uint8_t *snapshot_bytes(struct snapshot_record record, uint32_t offset, uint64_t length);
