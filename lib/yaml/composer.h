/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Composing: the events of a YAML or JSON parser -> trees. One tree per document, or, where the
 * document is a list of objects, per element.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/util/diagnostic.h"
#include "tree.h"

#define COMPOSER_DEPTH_MAX 1000u
#define COMPOSER_KEPT_MAX (256u << 10)  /* bytes of a text; a longer one is useless for names */
#define COMPOSER_TOKEN_MAX (8u << 20)   /* bytes that a parser may need for one event */
#define COMPOSER_ALIASED_MAX (1u << 20) /* nodes that the aliases of one document may expand to */

struct composer_callbacks {
    /* An element of the list that a document's mapping holds under `items`. Returns true to keep
     * its tree, and then that of all later elements, until `document` was called. NULL: such
     * elements are part of the document's tree. */
    bool (*element)(void *userdata, const struct yaml_node *element,
                    const struct yaml_node *document);
    /* A document is complete. `document` is NULL unless it is a mapping; it lacks the elements
     * already delivered. */
    void (*document)(void *userdata, const struct yaml_node *document);
    /* Before `document`: it is neither a mapping nor empty; it starts at `position`. `has_objects`:
     * it is a list, of which an element has apiVersion and kind. May be NULL. */
    void (*other)(void *userdata, struct position position, bool has_objects);
    /* Discards what was delivered of the document so far: it starts over. May be NULL if nothing is
     * delivered. */
    void (*retract)(void *userdata);
    void *userdata;
};

struct composer;

/* Errors are added to `diagnostics`; after one, the composer can only be freed. */
struct composer *composer_new(const struct composer_callbacks *callbacks, GPtrArray *diagnostics);
struct composer *composer_free(struct composer *composer); /* returns NULL */

/* The events. False: an error, described by a diagnostic. `anchor` may be NULL. */
bool composer_scalar(struct composer *composer, const char *text, size_t length, bool plain,
                     struct position position, const char *anchor);
bool composer_begin(struct composer *composer, enum yaml_node_type type, struct position position,
                    const char *anchor);
bool composer_end(struct composer *composer);
bool composer_alias(struct composer *composer, const char *anchor, struct position position);

/* The end of a document. */
void composer_document(struct composer *composer);

/* Drops the incomplete document, and retracts what was delivered. */
void composer_retract(struct composer *composer);

/* Current nesting; 0 between documents. */
unsigned composer_depth(const struct composer *composer);

/* Adds an error. Always false. */
bool composer_fail(struct composer *composer, struct position position, const char *rule,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Those it was created with. */
GPtrArray *composer_diagnostics(const struct composer *composer);
