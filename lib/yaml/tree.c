/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bump allocator for the nodes of one object at a time. Chunks grow, so that small objects need
 * one and huge ones few; resetting to a mark keeps the first chunks for the next object.
 */
#include "tree.h"

#include <glib.h>
#include <string.h>

#define CHUNK_FIRST (32u << 10)
#define CHUNK_LARGEST (4u << 20)
#define KEYS 64u /* a power of two */

struct chunk {
    size_t size;
    char *bytes;
};

struct tree {
    GArray *chunks; /* struct chunk */
    size_t chunk;   /* the one in use */
    size_t used;    /* of it */
    size_t total;   /* sizes of all chunks */
    const char *keys[KEYS];
};

void position_advance(struct position *position, const char *text, size_t size)
{
    const char *end = text + size, *newline;
    uint64_t column;

    while ((newline = memchr(text, '\n', (size_t)(end - text)))) {
        position->line += position->line < UINT32_MAX;
        position->column = 1;
        text = newline + 1;
    }
    column = position->column;
    for (; text < end; text++)
        column += ((unsigned char)*text & 0xc0) != 0x80;
    position->column = (uint32_t)MIN(column, UINT32_MAX);
}

struct tree *tree_new(void)
{
    struct tree *tree = g_new0(struct tree, 1);
    struct chunk first = {.size = CHUNK_FIRST, .bytes = g_malloc(CHUNK_FIRST)};

    tree->chunks = g_array_new(FALSE, FALSE, sizeof(struct chunk));
    g_array_append_val(tree->chunks, first);
    tree->total = first.size;
    return tree;
}

static void drop_chunks(struct tree *tree, size_t keep)
{
    for (size_t i = keep; i < tree->chunks->len; i++) {
        struct chunk *chunk = &g_array_index(tree->chunks, struct chunk, i);

        tree->total -= chunk->size;
        g_free(chunk->bytes);
    }
    g_array_set_size(tree->chunks, (guint)keep);
}

struct tree *tree_free(struct tree *tree)
{
    if (!tree)
        return NULL;
    drop_chunks(tree, 0);
    g_array_unref(tree->chunks);
    g_free(tree);
    return NULL;
}

static void *allocate(struct tree *tree, size_t size, size_t alignment)
{
    struct chunk *chunk = &g_array_index(tree->chunks, struct chunk, tree->chunk);
    size_t start = (tree->used + alignment - 1) & ~(alignment - 1);

    if (start > chunk->size || size > chunk->size - start) {
        struct chunk next = {.size = MAX(size, MIN(chunk->size * 2, CHUNK_LARGEST))};

        if (next.size > TREE_SIZE_MAX - tree->total)
            return NULL;
        /* no chunk beyond the current one: tree_reset has dropped them */
        next.bytes = g_malloc(next.size);
        g_array_append_val(tree->chunks, next);
        tree->total += next.size;
        tree->chunk++;
        start = 0;
        chunk = &g_array_index(tree->chunks, struct chunk, tree->chunk);
    }
    tree->used = start + size;
    return chunk->bytes + start;
}

struct yaml_node *tree_node(struct tree *tree)
{
    struct yaml_node *node = allocate(tree, sizeof *node, _Alignof(struct yaml_node));

    if (node)
        memset(node, 0, sizeof *node);
    return node;
}

const char *tree_text(struct tree *tree, const char *text, size_t length)
{
    char *copy = allocate(tree, length + 1, 1);

    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

const char *tree_key(struct tree *tree, const char *text, size_t length)
{
    uint32_t hash = (uint32_t)length;
    const char **slot;

    if (length > 0)
        hash += (unsigned char)text[0] * 7u + (unsigned char)text[length / 2] * 13u +
                (unsigned char)text[length - 1] * 31u;
    slot = &tree->keys[hash & (KEYS - 1)];
    if (!*slot || strncmp(*slot, text, length) != 0 || (*slot)[length] != '\0')
        *slot = tree_text(tree, text, length);
    return *slot;
}

const struct yaml_node *tree_copy(struct tree *tree, const struct yaml_node *node)
{
    struct yaml_node *copy = tree_node(tree);

    if (!copy)
        return NULL;
    *copy = *node;
    copy->next = NULL;
    copy->key = node->key ? tree_text(tree, node->key, strlen(node->key)) : NULL;
    if (node->key && !copy->key)
        return NULL;
    if (node->type == YAML_NODE_SCALAR)
        return (copy->text = tree_text(tree, node->text, node->length)) ? copy : NULL;
    copy->first = NULL;
    for (struct yaml_node *child = node->first, *last = NULL; child; child = child->next) {
        const struct yaml_node *added = tree_copy(tree, child);

        if (!added)
            return NULL;
        if (last)
            last->next = (struct yaml_node *)(uintptr_t)added;
        else
            copy->first = (struct yaml_node *)(uintptr_t)added;
        last = (struct yaml_node *)(uintptr_t)added;
    }
    return copy;
}

struct tree_mark tree_mark(const struct tree *tree)
{
    return (struct tree_mark){.chunk = tree->chunk, .used = tree->used};
}

void tree_reset(struct tree *tree, struct tree_mark mark)
{
    drop_chunks(tree, mark.chunk + 1);
    tree->chunk = mark.chunk;
    tree->used = mark.used;
    memset(tree->keys, 0, sizeof tree->keys);
}

const struct yaml_node *yaml_node_entries(const struct yaml_node *map)
{
    return map && map->type == YAML_NODE_MAP ? map->first : NULL;
}

const struct yaml_node *yaml_node_elements(const struct yaml_node *list)
{
    return list && list->type == YAML_NODE_LIST ? list->first : NULL;
}

const struct yaml_node *yaml_node_get(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *found = NULL, *child = yaml_node_entries(map);

    for (; child; child = child->next) {
        if (child->key[0] == key[0] && strcmp(child->key, key) == 0)
            found = child;
    }
    return found;
}
