/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The composer: a stack of open mappings and sequences. Of a document that is not a mapping nothing
 * is kept. The elements under `items` are delivered one by one, so that a list of all pods of a
 * cluster is never in memory at once. An alias is a second use of the same nodes, whose number is
 * limited to what they would be if written out.
 */
#include "composer.h"

#include <stdarg.h>
#include <string.h>

#include "other_document.h"
#include "scalar.h"

#define LIST_KEY "items"

struct frame {
    struct yaml_node *node;
    struct yaml_node **tail; /* where the next child goes */
    const char *anchor;
    const char *key; /* of a map: the key whose value is pending */
    struct position key_position;
    bool merge;    /* ... and it is a merge key */
    bool handover; /* children are elements */
};

struct composer {
    struct composer_callbacks callbacks;
    GPtrArray *diagnostics;
    struct tree *tree;
    struct tree_mark empty;    /* of `tree` */
    struct tree_mark elements; /* before the first element */
    GHashTable *anchors;       /* char * -> struct yaml_node *; NULL: none in this document */
    uint64_t aliased;
    struct yaml_node *document;
    struct other_document other; /* instead, if this one is no mapping */
    bool keep;                   /* elements' trees stay until the end of the document */
    unsigned depth;
    struct frame *stack; /* COMPOSER_DEPTH_MAX of them; memory that is not touched costs nothing */
};

struct composer *composer_new(const struct composer_callbacks *callbacks, GPtrArray *diagnostics)
{
    struct composer *composer = g_new0(struct composer, 1);

    composer->callbacks = *callbacks;
    composer->diagnostics = g_ptr_array_ref(diagnostics);
    composer->stack = g_new(struct frame, COMPOSER_DEPTH_MAX);
    composer->tree = tree_new();
    composer->empty = tree_mark(composer->tree);
    return composer;
}

struct composer *composer_free(struct composer *composer)
{
    if (!composer)
        return NULL;
    g_clear_pointer(&composer->anchors, g_hash_table_unref);
    g_ptr_array_unref(composer->diagnostics);
    tree_free(composer->tree);
    g_free(composer->stack);
    g_free(composer);
    return NULL;
}

unsigned composer_depth(const struct composer *composer)
{
    return composer->depth;
}

bool composer_fail(struct composer *composer, struct position position, const char *rule,
                   const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(composer->diagnostics,
                    diagnostic_new(DIAGNOSTIC_ERROR, position.line, position.column, rule, NULL,
                                   "%s", message));
    return false;
}

GPtrArray *composer_diagnostics(const struct composer *composer)
{
    return composer->diagnostics;
}

static bool too_large(struct composer *composer, struct position position)
{
    return composer_fail(composer, position, "too-large",
                         "one object takes more than %u MiB of memory", TREE_SIZE_MAX >> 20);
}

/* NULL: there is no room for it, which is reported. */
static struct yaml_node *new_node(struct composer *composer, enum yaml_node_type type,
                                  struct position position)
{
    struct yaml_node *node = tree_node(composer->tree);

    if (!node) {
        (void)too_large(composer, position);
        return NULL;
    }
    node->type = (uint8_t)type;
    node->position = position;
    node->weight = 1;
    return node;
}

static struct frame *top(struct composer *composer)
{
    return composer->depth > 0 ? &composer->stack[composer->depth - 1] : NULL;
}

static bool expects_key(const struct frame *frame)
{
    return frame && frame->node->type == YAML_NODE_MAP && !frame->key;
}

static void add_weight(struct yaml_node *node, uint32_t weight)
{
    node->weight = weight > UINT32_MAX - node->weight ? UINT32_MAX : node->weight + weight;
}

static void remember(struct composer *composer, const char *anchor, struct yaml_node *node)
{
    if (!composer->anchors)
        composer->anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_replace(composer->anchors, g_strdup(anchor), node);
}

static bool count_aliased(struct composer *composer, const struct yaml_node *node,
                          struct position position)
{
    composer->aliased += node->weight;
    if (composer->aliased <= COMPOSER_ALIASED_MAX)
        return true;
    return composer_fail(composer, position, "alias-expansion",
                         "the aliases of this document stand for more than %u values",
                         COMPOSER_ALIASED_MAX);
}

static bool merge_fail(struct composer *composer, const struct yaml_node *value)
{
    return composer_fail(composer, value->position, "syntax",
                         "the merge key << takes a mapping or a list of mappings");
}

/* Copies the entries of a mapping to the place of the merge key. */
static bool merge_map(struct composer *composer, struct frame *frame, const struct yaml_node *map)
{
    if (!count_aliased(composer, map, map->position))
        return false;
    for (const struct yaml_node *child = map->first; child; child = child->next) {
        struct yaml_node *copy = new_node(composer, child->type, map->position);

        if (!copy)
            return false;
        *copy = *child;
        copy->next = NULL;
        copy->key_position = frame->key_position;
        copy->merged = true;
        *frame->tail = copy;
        frame->tail = &copy->next;
    }
    add_weight(frame->node, map->weight);
    return true;
}

/* The first of several mappings overrides those after it. Of one key's values the last counts, so
 * they are merged in reverse. */
static bool merge_list(struct composer *composer, struct frame *frame, const struct yaml_node *list)
{
    g_autoptr(GPtrArray) maps = g_ptr_array_new();

    for (const struct yaml_node *child = list->first; child; child = child->next) {
        if (child->type != YAML_NODE_MAP)
            return merge_fail(composer, list);
        g_ptr_array_add(maps, (gpointer)(uintptr_t)child);
    }
    for (guint i = maps->len; i-- > 0;) {
        if (!merge_map(composer, frame, maps->pdata[i]))
            return false;
    }
    return true;
}

/* A merge key overrides what precedes it and is overridden by what follows, as in sigs.k8s.io/yaml;
 * in YAML itself it overrides nothing. */
static bool merge(struct composer *composer, struct frame *frame, const struct yaml_node *value)
{
    frame->key = NULL;
    frame->merge = false;
    if (value->type == YAML_NODE_MAP)
        return merge_map(composer, frame, value);
    return value->type == YAML_NODE_LIST ? merge_list(composer, frame, value)
                                         : merge_fail(composer, value);
}

static void hand_over(struct composer *composer, const struct yaml_node *element)
{
    const struct composer_callbacks *callbacks = &composer->callbacks;

    if (callbacks->element(callbacks->userdata, element, composer->document))
        composer->keep = true;
    if (!composer->keep && !composer->anchors)
        tree_reset(composer->tree, composer->elements);
}

/* A complete value takes its place. */
static bool attach(struct composer *composer, struct yaml_node *node)
{
    struct frame *frame = top(composer);

    if (!frame)
        return true;
    if (frame->handover) {
        hand_over(composer, node);
        return true;
    }
    if (frame->merge)
        return merge(composer, frame, node);
    node->key = frame->key;
    node->key_position = frame->key_position;
    frame->key = NULL;
    *frame->tail = node;
    frame->tail = &node->next;
    add_weight(frame->node, node->weight);
    return true;
}

static bool set_key(struct composer *composer, const char *text, size_t length, bool plain,
                    struct position position)
{
    struct frame *frame = top(composer);
    char canonical[SCALAR_KEY_MAX];

    frame->merge = plain && length == 2 && memcmp(text, "<<", 2) == 0;
    frame->key_position = position;
    if (plain && scalar_key(text, length, canonical)) {
        text = canonical;
        length = strlen(canonical);
    }
    /* no relevant key has a NUL in it, or is so long */
    if (length > COMPOSER_KEPT_MAX || memchr(text, '\0', length))
        length = 0;
    frame->key = tree_key(composer->tree, text, length);
    return frame->key || too_large(composer, position);
}

bool composer_scalar(struct composer *composer, const char *text, size_t length, bool plain,
                     struct position position, const char *anchor)
{
    struct yaml_node *node;

    if (composer->other.is_there)
        return other_document_scalar(&composer->other, composer->depth, text, length);
    if (expects_key(top(composer)) && !anchor)
        return set_key(composer, text, length, plain, position);

    node = new_node(composer, YAML_NODE_SCALAR, position);
    if (!node)
        return false;
    node->plain = plain && !memchr(text, '\0', length);
    node->length = (uint32_t)length;
    node->omitted = length > COMPOSER_KEPT_MAX;
    node->text = tree_text(composer->tree, text, node->omitted ? 0 : length);
    if (!node->text)
        return too_large(composer, position);
    if (anchor)
        remember(composer, anchor, node);
    if (expects_key(top(composer)))
        return set_key(composer, text, length, plain, position);
    if (composer->depth == 0 && !scalar_is_null(node))
        composer->other = (struct other_document){.is_there = true, .position = position};
    return attach(composer, node);
}

/* Elements are delivered one by one if nothing else can need the list as a whole. */
static bool is_handover(const struct composer *composer, enum yaml_node_type type,
                        const char *anchor)
{
    const struct frame *parent = &composer->stack[0];

    return composer->callbacks.element && type == YAML_NODE_LIST && composer->depth == 1 &&
           !anchor && !parent->anchor && !parent->merge && strcmp(parent->key, LIST_KEY) == 0;
}

/* A collection that is not ignored. */
static bool open_frame(struct composer *composer, struct frame *frame, enum yaml_node_type type,
                       struct position position, const char *anchor)
{
    if (expects_key(top(composer)))
        return composer_fail(composer, position, "syntax", "a key must be a scalar");
    *frame = (struct frame){.node = new_node(composer, type, position)};
    if (!frame->node)
        return false;
    frame->tail = &frame->node->first;
    if (anchor && !(frame->anchor = tree_text(composer->tree, anchor, strlen(anchor))))
        return too_large(composer, position);
    if (composer->depth == 0)
        composer->document = frame->node;
    frame->handover = is_handover(composer, type, anchor);
    if (frame->handover)
        composer->elements = tree_mark(composer->tree);
    return true;
}

bool composer_begin(struct composer *composer, enum yaml_node_type type, struct position position,
                    const char *anchor)
{
    if (composer->depth == COMPOSER_DEPTH_MAX)
        return composer_fail(composer, position, "too-deep", "more than %u levels of nesting",
                             COMPOSER_DEPTH_MAX);
    if (composer->depth == 0 && type != YAML_NODE_MAP)
        composer->other = (struct other_document){.is_there = true, .position = position};
    if (composer->other.is_there)
        other_document_begin(&composer->other, composer->depth, type == YAML_NODE_MAP);
    else if (!open_frame(composer, &composer->stack[composer->depth], type, position, anchor))
        return false;
    composer->depth++;
    return true;
}

bool composer_end(struct composer *composer)
{
    struct frame *frame = top(composer);

    composer->depth--;
    if (composer->other.is_there)
        return true;
    if (frame->anchor)
        remember(composer, frame->anchor, frame->node);
    return attach(composer, frame->node);
}

bool composer_alias(struct composer *composer, const char *anchor, struct position position)
{
    const struct yaml_node *target =
        composer->anchors ? g_hash_table_lookup(composer->anchors, anchor) : NULL;
    struct yaml_node *copy;

    if (composer->other.is_there || composer->depth == 0)
        return other_document_scalar(&composer->other, composer->depth, NULL, 0);
    if (!target)
        return composer_fail(composer, position, "syntax",
                             "an alias without a complete anchor before it");
    if (!count_aliased(composer, target, position))
        return false;
    if (expects_key(top(composer))) {
        if (target->type != YAML_NODE_SCALAR)
            return composer_fail(composer, position, "syntax", "a key must be a scalar");
        return set_key(composer, target->text, target->length, target->plain, position);
    }
    copy = new_node(composer, target->type, position);
    if (!copy)
        return false;
    *copy = *target;
    copy->next = NULL;
    copy->key = NULL;
    copy->merged = false;
    copy->position = position;
    return attach(composer, copy);
}

static void discard(struct composer *composer)
{
    g_clear_pointer(&composer->anchors, g_hash_table_unref);
    tree_reset(composer->tree, composer->empty);
    composer->document = NULL;
    composer->aliased = 0;
    composer->other = (struct other_document){0};
    composer->keep = false;
    composer->depth = 0;
}

void composer_retract(struct composer *composer)
{
    discard(composer);
    if (composer->callbacks.retract)
        composer->callbacks.retract(composer->callbacks.userdata);
}

void composer_document(struct composer *composer)
{
    if (composer->other.is_there && composer->callbacks.other)
        composer->callbacks.other(composer->callbacks.userdata, composer->other.position,
                                  composer->other.has_object);
    composer->callbacks.document(composer->callbacks.userdata, composer->document);
    discard(composer);
}
