/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader's pending work and its results: entries to examine, directories to list, files to
 * read, entries to come back to; and, as one batch, the changed files.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "entry.h"

struct queue {
    struct watch *watch;
    GPtrArray *roots;             /* struct root, all that are configured, by rank */
    GQueue entries[ENTRY_STATES]; /* struct entry, by state; idle ones are in none */
    GQueue waiting;               /* struct entry */
    GPtrArray *news;              /* struct entry: their files have changes to deliver */
    GPtrArray *absent;            /* struct entry: nothing is there; children come before parents */
    struct account *account;      /* of all files together */
    unsigned n_reads, n_read; /* files of this batch that are to be read, or were; read so far */
    uint64_t max_file_size;
    bool closed;    /* the batch is old enough: new events wait for the next */
    bool thorough;  /* every entry is examined */
    bool polling;   /* changes are not reported: two scans must agree */
    bool skips_due; /* see skip_files.h */
};

void queue_init(struct queue *queue);  /* one that is all zeroes */
void queue_clear(struct queue *queue); /* its entries must be gone */

/* An event for the entry: it will be examined. */
void queue_mark(struct queue *queue, struct entry *entry);

/* The same, in this batch whatever its age: it would be wrong otherwise. */
void queue_mark_now(struct queue *queue, struct entry *entry);

/* It will be examined in `delay` microseconds, if not before. */
void queue_wait(struct queue *queue, struct entry *entry, uint64_t delay);

/* If this (positive) errno means a shortage that ends without an event, it will be examined again
 * in a while. */
void queue_wait_for_means(struct queue *queue, struct entry *entry, int error);

/* Marks the entries whose time has come; returns the time of the next one, 0: none. */
uint64_t queue_ripen(struct queue *queue, uint64_t now);

/* The next batch: handles what was deferred to it. */
void queue_reopen(struct queue *queue);

void queue_scan(struct queue *queue, struct entry *entry);
void queue_read(struct queue *queue, struct entry *entry);

/* The entry leaves its state; it is examined again if there was an event meanwhile. */
void queue_done(struct queue *queue, struct entry *entry);

/* Takes one out; NULL: none. One being read stays in ENTRY_READ until queue_done. */
struct entry *queue_next_probe(struct queue *queue);
struct entry *queue_next_read(struct queue *queue);

/* The file of this entry has changes to deliver, or nothing is left here. */
void queue_news(struct queue *queue, struct entry *entry);
void queue_absent(struct queue *queue, struct entry *entry);

/* Calls `each` for every entry of all roots, as entry_for_each. */
void queue_for_each(const struct queue *queue, void (*each)(void *userdata, struct entry *entry),
                    void *userdata);

/* The entry is being freed. */
void queue_forget(struct queue *queue, struct entry *entry);

/* CLOCK_MONOTONIC, microseconds. */
static inline uint64_t queue_now(void)
{
    return (uint64_t)g_get_monotonic_time();
}
