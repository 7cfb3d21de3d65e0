/*
 * Writing a snapshot (include/kubesvc/snapshot.h): a persistent trie in an append-only arena.
 *
 * Changes are appended and become visible together with snapshot_writer_publish. Nothing published
 * is ever changed in place. When garbage outgrows a quarter of the live part, the live part is
 * copied into a new arena in bounded steps while changes go on; the old arena is released then
 * (readers in this process take a new view for every question).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/resolve/snapshot.h"
#include "lib/util/error.h"

struct snapshot_writer;

/* An empty, unpublished arena with a random seed. */
MUST_USE int snapshot_writer_new(struct snapshot_writer **writerp);
struct snapshot_writer *snapshot_writer_free(struct snapshot_writer *writer); /* returns NULL */

/* Sets the record of a key (both copied); the record must be in the layout of snapshot.h. Setting
 * what is already there byte for byte appends nothing. -ENOSPC: the arena's 32-bit refs are used
 * up. */
MUST_USE int snapshot_writer_put(struct snapshot_writer *writer, const void *key, size_t key_length,
                                 const void *record, size_t record_length);

/* Removes a key; 0 also if it is not there. */
MUST_USE int snapshot_writer_remove(struct snapshot_writer *writer, const void *key,
                                    size_t key_length);

/* Makes all changes since the last publish visible at once. */
void snapshot_writer_publish(struct snapshot_writer *writer);

/* The published state; false before the first publish. Valid until the next call of a writer
 * function that is not const. */
bool snapshot_writer_view(const struct snapshot_writer *writer, struct snapshot_view *view);

/* The record of a key including unpublished changes. */
struct snapshot_record snapshot_writer_find(const struct snapshot_writer *writer, const void *key,
                                            size_t key_length);

/* Is a compaction due or under way? Then call snapshot_writer_compact from a low-priority step. */
bool snapshot_writer_wants_compaction(const struct snapshot_writer *writer);

/* One bounded step (about `budget` microseconds). Only between publishes (no unpublished change).
 * Returns 1 if more is to be done, 0 when done, negative errno. */
MUST_USE int snapshot_writer_compact(struct snapshot_writer *writer, uint64_t budget);

struct snapshot_writer_status {
    uint64_t used, live, published; /* bytes in use, bytes reachable (estimate), publishes */
    uint64_t records;
    uint64_t compactions;
};
void snapshot_writer_status(const struct snapshot_writer *writer,
                            struct snapshot_writer_status *status);
