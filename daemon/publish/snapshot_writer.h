/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing a snapshot (include/kubesvc/snapshot.h): a persistent trie in an append-only arena.
 *
 * Changes are appended and become visible together with snapshot_writer_publish. Nothing published
 * is ever changed in place, so other threads may read what is published (snapshot_root.h) while one
 * thread writes. When garbage outgrows a quarter of the live part, or the live part has become
 * small for its region, it is copied into a new arena; the old one is kept until all readers have
 * passed: until every view that was taken before is done with.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/between.h"
#include "lib/util/error.h"
#include "snapshot_root.h"

struct snapshot_writer;

/* An empty, unpublished arena with a random seed. */
MUST_USE int snapshot_writer_new(struct snapshot_writer **writerp);

/* Called between the pieces of a compaction, when the writer may be looked at. */
void snapshot_writer_set_between(struct snapshot_writer *writer, struct between between);

/* No reader may be left. Returns NULL. */
struct snapshot_writer *snapshot_writer_free(struct snapshot_writer *writer);

/* For readers; valid as long as the writer. */
struct snapshot_root *snapshot_writer_root(struct snapshot_writer *writer);

/* Sets the record of a key (both copied); the record must be in the layout of snapshot.h. Setting
 * an identical record appends nothing. -ENOSPC: the arena's 32-bit refs are used up; -ENOMEM. */
MUST_USE int snapshot_writer_put(struct snapshot_writer *writer, const void *key, size_t key_length,
                                 const void *record, size_t record_length);

/* Removes a key; 0 also if it does not exist. */
MUST_USE int snapshot_writer_remove(struct snapshot_writer *writer, const void *key,
                                    size_t key_length);

/* Makes all changes since the last publish visible at once. */
void snapshot_writer_publish(struct snapshot_writer *writer);

/* The published state as the writing thread sees it; false before the first publish. Valid until
 * the next call of a writer function that is not const. */
bool snapshot_writer_view(const struct snapshot_writer *writer, struct snapshot_view *view);

/* The record of a key including unpublished changes. */
struct snapshot_record snapshot_writer_find(const struct snapshot_writer *writer, const void *key,
                                            size_t key_length);

/* Is a compaction due? Not while memory of the last one still waits for its readers. */
bool snapshot_writer_wants_compaction(const struct snapshot_writer *writer);

/* Compacts if that is due; only between publishes (no unpublished change). Negative errno: all
 * stays as it is. */
MUST_USE int snapshot_writer_compact(struct snapshot_writer *writer);

/* How often memory has been retired so far. Readers that began before a number was reached may
 * still use that memory; once they have passed it, snapshot_writer_release frees it. */
uint64_t snapshot_writer_retired(const struct snapshot_writer *writer);
void snapshot_writer_release(struct snapshot_writer *writer, uint64_t passed);

struct snapshot_writer_status {
    uint64_t used, live, published; /* bytes in use, bytes reachable (estimate), publishes */
    uint64_t records, changes;      /* keys that have a record; how often one was set or removed */
    uint64_t compactions;
};
void snapshot_writer_status(const struct snapshot_writer *writer,
                            struct snapshot_writer_status *status);
