/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalog: which source defines what. Holds every object with its source and position; of
 * several objects with one identity (kind, namespace, name) one is in effect, as with `kubectl
 * apply -f DIR`: one that an API server would accept before one that it would reject, then the
 * later directory, then the later path bytewise, then the later document (rule 106). When the
 * winner goes, the next one takes its place.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/util/between.h"
#include "object.h"

struct catalog;

/* The object in effect of one identity has changed: `before` and `after`, NULL for none. `before`
 * is freed after the call unless it is merely shadowed. */
typedef void (*catalog_changed)(void *userdata, struct object *before, struct object *after);

/* `between` is called between objects; see catalog_replace. */
struct catalog *catalog_new(catalog_changed changed, void *userdata, struct between between);
struct catalog *catalog_free(struct catalog *catalog); /* returns NULL; reports nothing */

/* The current objects of a source (takes ownership; NULL or empty: none), one by one: in between,
 * some are already replaced and some are not. A broken object keeps the source's last good version
 * of its identity in effect. If objects of the source were refused (n_refused), missing ones stay
 * in effect as well. */
void catalog_replace(struct catalog *catalog, struct source *source, GPtrArray *objects);

/* The objects of a source belong to another one now, which has none yet: with its rank, its zone
 * and what else it says of them. Both are of the same account. */
void catalog_move(struct catalog *catalog, struct source *from, struct source *to);

/* How many objects catalog_replace has been given in all, including the current one. */
uint64_t catalog_taken(const struct catalog *catalog);

/* The object in effect, NULL if there is none. `namespace` is interned. */
struct object *catalog_find(const struct catalog *catalog, enum object_kind kind, const char *ns,
                            const char *name);

/* Number of identities. */
unsigned catalog_size(const struct catalog *catalog);

/* Is there any object of the same identity as one in effect? */
bool catalog_has_shadowed(const struct catalog *catalog);

/* Calls `each` for every object in effect, in no order. */
void catalog_each(const struct catalog *catalog,
                  void (*each)(void *userdata, struct object *object), void *userdata);
