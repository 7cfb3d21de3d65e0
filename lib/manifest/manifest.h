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

struct yaml_node;

/* Called for each object as it is read, with the tree (tree.h) that it is read from, for callers
 * that examine more of a manifest than decides names. `object` is NULL if the tree gives none. What
 * was seen counts only if the object is among those finally read. */
typedef void (*manifest_look)(void *userdata, const struct object *object,
                              const struct yaml_node *root);

struct manifest_options {
    const char *default_namespace; /* for objects without one */
    uint64_t max_size;             /* bytes; a longer input is an error */
    manifest_look look;            /* NULL: not called */
    void *look_userdata;
};

/* Results of manifest_read. */
enum {
    MANIFEST_DONE = READER_DONE, /* the whole file was read: objects and diagnostics are complete */
    MANIFEST_BAD = READER_BAD,   /* not readable as YAML or JSON: the last diagnostic says where and
                                    why; the last good objects stay in effect */
};

/* Reads to the end, or until `read` fails, whose negative errno it returns. `source` names the file
 * (its extension does not matter: as in kubectl, a JSON document is recognised by its first
 * character) and is referenced by the objects. *objectsp receives these (struct object *, in
 * document order, `document` set; none unless MANIFEST_DONE), *diagnosticsp what is wrong; both
 * arrays free their elements. */
MUST_USE int manifest_read(struct source *source, const struct manifest_options *options,
                           input_read read, void *userdata, GPtrArray **objectsp,
                           GPtrArray **diagnosticsp);
