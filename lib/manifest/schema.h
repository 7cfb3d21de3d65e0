/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the Kubernetes API accepts, field by field: the known names at every level that decides
 * names or is close to one that does, with the type of each, its possible values and whether it is
 * required. One table for the reader, which reports what the API rejects, and for `kubesvc check`,
 * which also looks for misspelt names. It holds the fields of all versions of a kind, and goes only
 * as deep as mistakes matter here.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/model/object.h"
#include "lib/yaml/fields.h"
#include "lib/yaml/tree.h"

enum schema_type {
    SCHEMA_ANY,
    SCHEMA_STRING,
    SCHEMA_BOOLEAN,
    SCHEMA_INTEGER,
    SCHEMA_INTEGER_OR_STRING,
    SCHEMA_MAP,
    SCHEMA_MAPS,       /* a list of mappings */
    SCHEMA_STRINGS,    /* a list of strings */
    SCHEMA_STRING_MAP, /* a mapping of strings: labels, annotations, selectors */
};

struct schema_field {
    const char *name; /* NULL ends a level */
    enum schema_type type;
    bool required;
    int32_t least, greatest;          /* of a number; both 0: any */
    const char *const *values;        /* of a string: its possible values, NULL-terminated */
    const struct schema_field *level; /* of a mapping or of each in a list: its fields */
};

/* The fields of an object of this kind; NULL for none. */
const struct schema_field *schema_of(enum object_kind kind);

/* NULL if there is no such field. */
const struct schema_field *schema_find(const struct schema_field *level, const char *name);

/* Does the map (NULL: it is absent) have the field? Null, an empty text and an empty list count as
 * absent. */
bool schema_is_there(const struct yaml_node *map, const char *key);

/* Reports what the API rejects in an object's tree, field by field; problems already among the
 * diagnostics from `first` on, reported by the field's reader, are not repeated. */
void schema_check(struct fields *fields, const struct yaml_node *root, enum object_kind kind,
                  guint first);
