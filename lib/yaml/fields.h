/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading the fields of one object or of the configuration: typed getters that report what is
 * wrong, and where. An absent field, null and (for strings) "" are the same.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/util/address.h"
#include "lib/util/diagnostic.h"
#include "tree.h"

struct fields {
    GPtrArray *diagnostics;  /* struct diagnostic * */
    const char *object;      /* what they are about, or NULL */
    const char *consequence; /* appended to errors: "; ...", or NULL */
    bool part;    /* what is being read can be left out: an error there breaks nothing else */
    bool broken;  /* there was an error outside of such parts */
    bool refused; /* there was any error: an API server would reject the object */
};

#define FIELDS_DIAGNOSTICS_MAX 1000u /* per file; then one message says that there are more */

#define DEFINE_AT_PRINTF __attribute__((format(printf, 4, 5)))
void fields_error(struct fields *fields, struct position position, const char *rule,
                  const char *format, ...) DEFINE_AT_PRINTF;
/* An error in a value that is used all the same. */
void fields_refuse(struct fields *fields, struct position position, const char *rule,
                   const char *format, ...) DEFINE_AT_PRINTF;
void fields_warning(struct fields *fields, struct position position, const char *rule,
                    const char *format, ...) DEFINE_AT_PRINTF;
#undef DEFINE_AT_PRINTF

/* All take the map that may hold the field, or NULL. A value of another type is an error, and
 * counts as absent. */
const struct yaml_node *fields_get(struct fields *fields, const struct yaml_node *map,
                                   const char *key);
const struct yaml_node *fields_map(struct fields *fields, const struct yaml_node *map,
                                   const char *key);
const struct yaml_node *fields_list(struct fields *fields, const struct yaml_node *map,
                                    const char *key);
const char *fields_string(struct fields *fields, const struct yaml_node *map, const char *key);
bool fields_bool(struct fields *fields, const struct yaml_node *map, const char *key,
                 bool fallback);

/* Sets *value only if the field exists and is within the bounds. */
bool fields_integer(struct fields *fields, const struct yaml_node *map, const char *key,
                    int64_t least, int64_t greatest, int64_t *value);

/* The first element of a list; NULL: it has none, or is absent. */
const struct yaml_node *fields_elements(struct fields *fields, const struct yaml_node *map,
                                        const char *key);

/* The elements of a list: the next non-null one, from *iterator on; NULL at the end. */
const struct yaml_node *fields_next_map(struct fields *fields, const struct yaml_node **iterator,
                                        const char *key);

/* Is it a non-empty string, so that fields_text accepts it? */
bool fields_is_string(const struct yaml_node *node);

/* The text of a node that must be a string; `key` names it in the error. NULL otherwise. */
const char *fields_text(struct fields *fields, const struct yaml_node *node, const char *key);

/* A name of [a-z0-9.-] in labels, at most 253 bytes, like the names of most objects. */
bool dns_subdomain_is_valid(const char *text);
