/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One known manifest file: which content of it was read last, what it last said well (as far as the
 * catalog has been told), and what is wrong with it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "fingerprint.h"
#include "lib/model/object.h"
#include "lib/util/diagnostic.h"
#include "loader.h"

struct file {
    struct source *source;     /* as the catalog knows it */
    struct source *renewed;    /* of a reading since rank or `allocate` changed, or NULL */
    struct fingerprint seen;   /* content that needs no second reading */
    struct fingerprint polled; /* content that a polling look met last */
    GPtrArray *objects;        /* read well and not handed over yet, or NULL */
    struct source *said_by;    /* their source */
    GPtrArray *diagnostics;    /* standing, or NULL */
    uint64_t stale_since;
    unsigned n_objects; /* handed over */
    uint8_t attempts;   /* readings in a row that met a changing file */
    bool has_seen, has_polled;
    bool handed; /* the catalog knows this file */
    bool gone;   /* the catalog is still to be told so */
    bool stale;
};

struct file *file_new(const char *path, unsigned rank, bool allocate, struct account *account);
struct file *file_free(struct file *file); /* returns NULL */

/* The source that objects read from now on belong to. */
struct source *file_source(struct file *file, unsigned rank, bool allocate);

/* It was read: `objects` and `diagnostics` are taken over. */
void file_say(struct file *file, GPtrArray *objects, GPtrArray *diagnostics);

/* It was read and is no manifest: its last good objects stay. */
void file_refuse(struct file *file, GPtrArray *diagnostics);

/* It could not be read at all, for the reason given: its last good objects stay. */
void file_complain(struct file *file, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Of the standing diagnostics; NULL: there is none. */
const struct diagnostic *file_first_error(const struct file *file);

/* It is no longer there. Its diagnostics stay until they are replaced. */
void file_vanish(struct file *file);

/* What the catalog is to be told: all that a source says now; NULL: it is gone. */
struct statement {
    struct source *source; /* reference held */
    GPtrArray *objects;
};
void statement_free(void *data);

/* Appends (struct statement *) what the catalog does not know yet, and takes it for told. */
void file_hand_over(struct file *file, GPtrArray *statements);
