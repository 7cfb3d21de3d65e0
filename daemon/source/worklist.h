/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the loader still has to do, and what came out of it: places to look at, directories to list,
 * files to read, places to come back to; and, as one batch, the files that have something to say.
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
    GPtrArray *news;          /* struct place: their files have something to be handed over */
    GPtrArray *absent;        /* struct place: nothing is there; children come before parents */
    struct account *account;  /* of all files together */
    unsigned n_reads, n_read; /* files of this batch that are to be read, or were; read so far */
    uint64_t max_file_size;
    bool closed;   /* the batch is old enough: what happens now waits for the next */
    bool thorough; /* every place is looked at */
    bool polling;  /* nobody tells of changes: two looks must agree */
};

void worklist_init(struct worklist *list);
void worklist_clear(struct worklist *list); /* its places must be gone */

/* Something happened to the place: it will be looked at. */
void worklist_mark(struct worklist *list, struct place *place);

/* The same, in this batch whatever its age: because the batch would be wrong without. */
void worklist_mark_now(struct worklist *list, struct place *place);

/* It will be looked at in `delay` microseconds, if not before. */
void worklist_wait(struct worklist *list, struct place *place, uint64_t delay);

/* If this (positive) errno tells of a want that passes without an event, it will be looked at again
 * in a while. */
void worklist_wait_for_means(struct worklist *list, struct place *place, int error);

/* Marks the places whose time has come; returns when the next one's comes, 0: none waits. */
uint64_t worklist_ripen(struct worklist *list, uint64_t now);

/* The next batch: what was put off for it is to be done now. */
void worklist_reopen(struct worklist *list);

void worklist_scan(struct worklist *list, struct place *place);
void worklist_read(struct worklist *list, struct place *place);

/* The place leaves its state; it is looked at again if something has happened meanwhile. */
void worklist_done(struct worklist *list, struct place *place);

/* Takes one out; NULL: there is none. The read one stays in PLACE_READ until worklist_done. */
struct place *worklist_next_look(struct worklist *list);
struct place *worklist_next_read(struct worklist *list);

/* The file of this place has something to say, or nothing is here any more. */
void worklist_news(struct worklist *list, struct place *place);
void worklist_absent(struct worklist *list, struct place *place);

/* The place is being freed. */
void worklist_forget(struct worklist *list, struct place *place);

/* CLOCK_MONOTONIC, microseconds. */
uint64_t worklist_now(void);
