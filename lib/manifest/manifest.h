/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading one manifest: the bytes of a YAML or JSON file -> typed objects and diagnostics. Nothing
 * of the file is kept but what its objects need. Knows the fields and what they may hold, but no
 * rules about Services.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "lib/model/object.h"
#include "lib/util/diagnostic.h"
#include "lib/util/error.h"
#include "lib/yaml/reader.h"

struct manifest_reader;
struct yaml_node;

/* Called for each object as it is read, with the tree (tree.h) that it is read from, for callers
 * that examine more of a manifest than decides names. `object` is NULL if the tree gives none. What
 * was seen counts only if the object is among those finally taken from the reader. */
typedef void (*manifest_look)(void *userdata, const struct object *object,
                              const struct yaml_node *root);

struct manifest_options {
    const char *default_namespace; /* for objects without one */
    uint64_t max_size;             /* bytes; a longer input is an error */
    manifest_look look;            /* NULL: not called */
    void *look_userdata;
};

/* Results of manifest_reader_run. */
enum {
    MANIFEST_DONE =
        READER_DONE, /* the whole file was read: `objects` and `diagnostics` are complete */
    MANIFEST_BAD = READER_BAD, /* not readable as YAML or JSON: the last diagnostic says where and
                                  why; discard objects, the last good ones stay in effect */
};

/* Starts reading. `source` names the file (its extension does not matter: as in kubectl, a JSON
 * document is recognised by its first character) and is referenced by the objects. `read` is called
 * from manifest_reader_run only. */
struct manifest_reader *manifest_reader_new(struct source *source,
                                            const struct manifest_options *options, input_read read,
                                            void *userdata);
struct manifest_reader *manifest_reader_free(struct manifest_reader *reader); /* returns NULL */

/* Reads to the end. Negative errno: the error of `read`. */
MUST_USE int manifest_reader_run(struct manifest_reader *reader);

/* After MANIFEST_DONE: moves out the objects (struct object *, in document order, `document` set)
 * and the diagnostics (struct diagnostic *). After MANIFEST_BAD: diagnostics only. The arrays
 * free their elements. */
GPtrArray *manifest_reader_take_objects(struct manifest_reader *reader);
GPtrArray *manifest_reader_take_diagnostics(struct manifest_reader *reader);
