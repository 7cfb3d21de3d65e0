/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree of one YAML or JSON value: nodes with their positions, bump-allocated and freed
 * together. Scalars are kept as written; scalar.h says what they mean.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct position { /* from 1 */
    uint32_t line, column;
};

/* Advances over a text. Lines end with '\n'; columns are characters, not bytes. */
void position_advance(struct position *position, const char *text, size_t size);

enum yaml_node_type { YAML_NODE_SCALAR = 1, YAML_NODE_MAP, YAML_NODE_LIST };

struct yaml_node {
    struct yaml_node *next; /* the next in the same map or list */
    const char *key;        /* in a map; NUL-terminated, "" for a key that contains a NUL */
    union {
        const char *text;        /* scalar; NUL-terminated, may hold NULs */
        struct yaml_node *first; /* map, list */
    };
    uint32_t length; /* scalar: bytes */
    uint32_t weight; /* nodes in here, aliases counted as expanded; saturates */
    struct position position, key_position;
    uint8_t type;
    bool plain;   /* scalar: neither quoted nor a string by its tag: a number, null, ... perhaps;
                   * without NULs then */
    bool merged;  /* from a merge key, which is at key_position */
    bool omitted; /* scalar: a text too long to be kept; `text` is "" */
};

struct tree;

/* Bytes, of nodes and texts together. The largest request that an API server accepts has some
 * megabytes of text. */
#define TREE_SIZE_MAX (64u << 20)

struct tree *tree_new(void);
struct tree *tree_free(struct tree *tree); /* returns NULL */

/* A zeroed node, and a copy of a text with a NUL appended; NULL when the tree is full. */
struct yaml_node *tree_node(struct tree *tree);
const char *tree_text(struct tree *tree, const char *text, size_t length);

/* As tree_text, but repeated texts share their memory. */
const char *tree_key(struct tree *tree, const char *text, size_t length);

/* A copy of a node and its contents, without its siblings; NULL if the tree is full. */
const struct yaml_node *tree_copy(struct tree *tree, const struct yaml_node *node);

/* A place to reset to: everything allocated after it is freed at once. */
struct tree_mark {
    size_t chunk, used;
};
struct tree_mark tree_mark(const struct tree *tree);
void tree_reset(struct tree *tree, struct tree_mark mark);

/* The first entry of a map, the first element of a list; NULL if there is none, and of anything
 * else, including NULL. */
const struct yaml_node *yaml_node_entries(const struct yaml_node *map);
const struct yaml_node *yaml_node_elements(const struct yaml_node *list);

/* The value of a key of a map; NULL likewise. Of duplicates the last counts. */
const struct yaml_node *yaml_node_get(const struct yaml_node *map, const char *key);
