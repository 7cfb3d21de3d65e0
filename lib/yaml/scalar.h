/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a plain scalar means, as YAML 1.1 and kubectl's YAML library read it. Quoted scalars are
 * strings.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tree.h"

enum scalar_type { SCALAR_NULL, SCALAR_BOOL, SCALAR_INTEGER, SCALAR_FLOAT, SCALAR_STRING };

struct scalar {
    enum scalar_type type; /* SCALAR_FLOAT: not a whole number */
    bool boolean;
    bool floating;   /* written as a float, such as 80.0; whole or not */
    int64_t integer; /* clamped to what fits */
    double real;     /* if `floating` */
};

/* `node` is a scalar. */
struct scalar scalar_read(const struct yaml_node *node);

static inline bool scalar_is_null(const struct yaml_node *node)
{
    return node->type == YAML_NODE_SCALAR && node->plain && node->length <= strlen("null") &&
           strchr("~nN", *node->text) && scalar_read(node).type == SCALAR_NULL; /* or "" */
}

/* A string without NULs. `node` is a scalar. */
bool scalar_is_text(const struct yaml_node *node);

/* The string that a plain key becomes in JSON if it is not a string: 0x10 is "16" and on is "true".
 * False: it is a string. */
#define SCALAR_KEY_MAX 32u
bool scalar_key(const char *text, size_t length, char key[SCALAR_KEY_MAX]);
