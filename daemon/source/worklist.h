/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader's pending work and its results: places to examine, directories to list, files to read,
 * places to come back to; and, as one batch, the changed files.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "place.h"

struct worklist {
    struct watch *watch;
    const GPtrArray *roots;                    /* struct root, all that are configured */
    GQueue look, later, scans, reads, waiting; /* struct place */
    GPtrArray *news;          /* struct place: their files have changes to deliver */
    GPtrArray *absent;        /* struct place: nothing is there; children come before parents */
    struct account *account;  /* of all files together */
    unsigned n_reads, n_read; /* files of this batch that are to be read, or were; read so far */
    uint64_t max_file_size;
    bool closed;   /* the batch is old enough: new events wait for the next */
    bool thorough; /* every place is examined */
    bool polling;  /* changes are not reported: two scans must agree */
};

void worklist_init(struct worklist *list);
void worklist_clear(struct worklist *list); /* its places must be gone */

/* An event for the place: it will be examined. */
void worklist_mark(struct worklist *list, struct place *place);

/* The same, in this batch whatever its age: it would be wrong otherwise. */
void worklist_mark_now(struct worklist *list, struct place *place);

/* It will be examined in `delay` microseconds, if not before. */
void worklist_wait(struct worklist *list, struct place *place, uint64_t delay);

/* If this (positive) errno means a shortage that ends without an event, it will be examined again
 * in a while. */
void worklist_wait_for_means(struct worklist *list, struct place *place, int error);

/* Marks the places whose time has come; returns the time of the next one, 0: none. */
uint64_t worklist_ripen(struct worklist *list, uint64_t now);

/* The next batch: handles what was deferred to it. */
void worklist_reopen(struct worklist *list);

void worklist_scan(struct worklist *list, struct place *place);
void worklist_read(struct worklist *list, struct place *place);

/* The place leaves its state; it is examined again if there was an event meanwhile. */
void worklist_done(struct worklist *list, struct place *place);

/* Takes one out; NULL: none. One being read stays in PLACE_READ until worklist_done. */
struct place *worklist_next_look(struct worklist *list);
struct place *worklist_next_read(struct worklist *list);

/* The file of this place has changes to deliver, or nothing is left here. */
void worklist_news(struct worklist *list, struct place *place);
void worklist_absent(struct worklist *list, struct place *place);

/* The place is being freed. */
void worklist_forget(struct worklist *list, struct place *place);

/* CLOCK_MONOTONIC, microseconds. */
uint64_t worklist_now(void);
