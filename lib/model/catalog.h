/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalog: who said what. Holds every object with its source and position; of several objects
 * with one identity (kind, namespace, name) the winner is in force, as with `kubectl apply -f DIR`:
 * one that an API server would accept before one that it would refuse, then the later directory,
 * then the later path bytewise, then the later document (rule 106). When the winner goes, the next
 * one comes back.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/util/between.h"
#include "object.h"

struct catalog;

/* The object in force of one identity has changed: `before` and `after`, NULL for none. `before` is
 * freed after the call unless it is merely shadowed. */
typedef void (*catalog_changed)(void *userdata, struct object *before, struct object *after);

/* `between` is called between objects; see catalog_replace. */
struct catalog *catalog_new(catalog_changed changed, void *userdata, struct between between);
struct catalog *catalog_free(struct catalog *catalog); /* returns NULL; reports nothing */

/* What a source says now (ownership passes on; NULL or empty: nothing any more), object by object:
 * in between, some are in force as before and some as they are now. A broken object keeps what this
 * source last said well of its identity. If objects of the source were refused (n_refused), so does
 * what is missing. */
void catalog_replace(struct catalog *catalog, struct source *source, GPtrArray *objects);

/* How many objects catalog_replace has been given in all, the one at hand included. */
uint64_t catalog_taken(const struct catalog *catalog);

/* The object in force, NULL if there is none. `namespace` is interned. */
struct object *catalog_find(const struct catalog *catalog, enum object_kind kind,
                            const char *namespace, const char *name);

/* Identities that some object has. */
unsigned catalog_size(const struct catalog *catalog);

/* Calls `each` for every object in force, in no order. */
void catalog_each(const struct catalog *catalog,
                  void (*each)(void *userdata, struct object *object), void *userdata);
