/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One known manifest file: which content was read last, its last good objects (until the catalog
 * has them), and what is wrong with it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/model/object.h"
#include "lib/util/diagnostic.h"
#include "lib/util/fingerprint.h"
#include "loader.h"

/* What the configuration of its directory means for the objects of a file. */
struct origin {
    unsigned rank;
    bool allocate;
    char *zone; /* NULL: the main one */
};

struct file {
    struct source *source;     /* as the catalog knows it */
    struct fingerprint seen;   /* content that need not be read again */
    struct fingerprint polled; /* content seen by the last polling scan */
    GPtrArray *objects;        /* read well and not delivered yet, or NULL */
    GPtrArray *diagnostics;    /* current ones, or NULL */
    uint64_t stale_since;
    unsigned n_objects; /* delivered */
    uint8_t attempts;   /* consecutive readings of a file that kept changing */
    bool has_seen, has_polled;
    bool handed; /* the catalog knows this file */
    bool gone;   /* the catalog must still be informed */
    bool stale;
};

struct file *file_new(const char *path, const struct origin *origin, struct account *account);
struct file *file_free(struct file *file); /* returns NULL */

/* Its directory has this origin now: what is known of it, and what is read from now on, belongs to
 * another source, unless nothing has changed. `moved` is called if the catalog knows it. */
void file_move(struct file *file, const struct origin *origin,
               const struct loader_callbacks *callbacks);

/* It was read: takes ownership of `objects` and `diagnostics`. */
void file_update(struct file *file, GPtrArray *objects, GPtrArray *diagnostics);

/* It was read and is not a manifest: its last good objects stay. */
void file_refuse(struct file *file, GPtrArray *diagnostics);

/* It could not be read at all, for the given reason: its last good objects stay. */
void file_complain(struct file *file, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Of the current diagnostics; NULL: none. */
const struct diagnostic *file_first_error(const struct file *file);

/* It no longer exists. Its diagnostics stay until they are replaced. */
void file_vanish(struct file *file);

/* Update for the catalog: the complete objects of a source; NULL: it is gone. */
struct source_update {
    struct source *source; /* reference held */
    GPtrArray *objects;
};
void source_update_free(void *data);

/* Appends (struct source_update *) what the catalog does not know yet, and marks it as known. */
void file_hand_over(struct file *file, GPtrArray *updates);
