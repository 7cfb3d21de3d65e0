/*
 * What a plain scalar means, as YAML 1.1 and kubectl's YAML library read it. Quoted ones are
 * strings.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tree.h"

enum scalar_type { SCALAR_NULL, SCALAR_BOOL, SCALAR_INTEGER, SCALAR_FLOAT, SCALAR_STRING };

struct scalar {
    enum scalar_type type;
    bool boolean;
    int64_t integer; /* clamped to what fits */
};

/* `node` is a scalar. */
struct scalar scalar_read(const struct node *node);

static inline bool scalar_is_null(const struct node *node)
{
    return node->type == NODE_SCALAR && node->plain && scalar_read(node).type == SCALAR_NULL;
}
