/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The block reader knows what kubectl, kustomize and Helm write, and most people: collections by
 * indentation or in brackets on one line, and scalars on one line. Most manifests are nothing else,
 * and libyaml, which takes two thousand instructions for an event, would be half of a load. Each
 * rule here is narrower than YAML's: a document with anything else in it, such as an anchor, an
 * escape, a tab, a scalar of several lines or a mistake, is left to libyaml as a whole. So nothing
 * is passed on before the end was seen.
 */
#include "block_reader.h"

#include "block_scan.h"
#include "reader.h"

#define LEVELS_MAX 64u
#define FLOW_LEVELS_MAX 8u
#define KEY_MAX 512u    /* bytes; libyaml takes 1024 characters */
#define EVENTS_MIN 256u /* initial capacity */

struct block_level { /* an open collection */
    enum yaml_node_type type;
    unsigned column;         /* of its keys or dashes, from 0 */
    bool unindented;         /* a list whose dashes are below the key that it belongs to */
    bool pending;            /* the value of the last key or dash has not been seen */
    struct position missing; /* where it is an empty scalar, if it has none */
};

struct block_reader {
    struct block_event *events;
    size_t n_events, capacity;
    struct block_cursor cursor;
    unsigned depth;
    struct block_level levels[LEVELS_MAX];
};

struct block_reader *block_reader_new(void)
{
    return g_new0(struct block_reader, 1);
}

struct block_reader *block_reader_free(struct block_reader *reader)
{
    if (!reader)
        return NULL;
    g_free(reader->events);
    g_free(reader);
    return NULL;
}

/* --- Events and levels --- */

static void add(struct block_reader *reader, const struct block_event *event)
{
    if (reader->n_events == reader->capacity) {
        reader->capacity = MAX(2 * reader->capacity, EVENTS_MIN);
        reader->events = g_renew(struct block_event, reader->events, reader->capacity);
    }
    reader->events[reader->n_events++] = *event;
}

static void add_type(struct block_reader *reader, enum block_event_type type)
{
    add(reader, &(struct block_event){.type = type, .position = block_position(&reader->cursor)});
}

static struct block_level *top(struct block_reader *reader)
{
    return reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;
}

/* No value comes any more for the last key or dash. */
static void settle(struct block_reader *reader, struct block_level *level)
{
    if (level->pending)
        add(reader, &(struct block_event){.text = "", .plain = true, .position = level->missing});
    level->pending = false;
}

static void leave(struct block_reader *reader)
{
    settle(reader, top(reader));
    add_type(reader, EVENT_END);
    reader->depth--;
}

/* Leaves what a line that begins in this column is not part of. */
static void leave_to(struct block_reader *reader, unsigned at, bool is_dash)
{
    const struct block_level *level;

    while ((level = top(reader)) &&
           (level->column > at || (level->column == at && level->unindented && !is_dash)))
        leave(reader);
}

/* Opens a collection with its first key or dash in this column: the document's mapping, or the
 * value of the last key or dash. */
static struct block_level *enter(struct block_reader *reader, enum yaml_node_type type,
                                 struct position begin)
{
    struct block_level *parent = top(reader);
    unsigned at = begin.column - 1;
    bool unindented = parent && parent->column == at;

    if (reader->depth == LEVELS_MAX)
        return NULL;
    if (parent ? !parent->pending : reader->n_events > 0 || type != YAML_NODE_MAP)
        return NULL;
    if (unindented && (type != YAML_NODE_LIST || parent->type != YAML_NODE_MAP))
        return NULL;
    if (parent)
        parent->pending = false;
    add(reader, &(struct block_event){.type = type == YAML_NODE_MAP ? EVENT_MAP : EVENT_LIST,
                                      .position = begin});
    reader->levels[reader->depth] =
        (struct block_level){.type = type, .column = at, .unindented = unindented};
    return &reader->levels[reader->depth++];
}

/* The next key or dash, whose value may follow `reader->cursor.at`. */
static struct block_level *advance(struct block_reader *reader, enum yaml_node_type type,
                                   struct position begin)
{
    struct block_level *level = top(reader);

    if (!level || level->type != type || level->column != begin.column - 1)
        return enter(reader, type, begin);
    settle(reader, level);
    return level;
}

static void await(struct block_reader *reader, struct block_level *level)
{
    level->pending = true;
    level->missing = block_position(&reader->cursor);
}

/* --- Values --- */

static bool is_flow(const struct block_reader *reader)
{
    return *reader->cursor.at == '{' || *reader->cursor.at == '[';
}

static bool is_key(const struct block_reader *reader, const struct block_event *scalar)
{
    return reader->cursor.at[0] == ':' && block_is_blank(reader->cursor.at[1]) &&
           scalar->length <= KEY_MAX;
}

static bool read_flow(struct block_reader *reader, unsigned levels);

static bool read_flow_key(struct block_reader *reader)
{
    struct block_event key;

    if (!block_scan_flow(&reader->cursor, &key) || !is_key(reader, &key))
        return false;
    add(reader, &key);
    reader->cursor.at++;
    block_skip_spaces(&reader->cursor);
    return true;
}

static bool read_flow_value(struct block_reader *reader, unsigned levels)
{
    struct block_event scalar;

    if (is_flow(reader))
        return read_flow(reader, levels);
    if (!block_scan_flow(&reader->cursor, &scalar))
        return false;
    add(reader, &scalar);
    return true;
}

static bool read_flow(struct block_reader *reader, unsigned levels)
{
    bool is_map = *reader->cursor.at == '{', is_first = true;

    if (levels == 0)
        return false;
    add_type(reader, is_map ? EVENT_MAP : EVENT_LIST);
    reader->cursor.at++;
    block_skip_spaces(&reader->cursor);
    for (; *reader->cursor.at != (is_map ? '}' : ']'); is_first = false) {
        if (!is_first && *reader->cursor.at++ != ',')
            return false;
        block_skip_spaces(&reader->cursor);
        if ((is_map && !read_flow_key(reader)) || !read_flow_value(reader, levels - 1))
            return false;
        block_skip_spaces(&reader->cursor);
    }
    add_type(reader, EVENT_END);
    reader->cursor.at++;
    return true;
}

static bool read_value(struct block_reader *reader)
{
    struct block_event scalar;

    top(reader)->pending = false;
    if (is_flow(reader))
        return read_flow(reader, FLOW_LEVELS_MAX);
    if (!block_scan(&reader->cursor, &scalar))
        return false;
    add(reader, &scalar);
    return true;
}

/* --- Lines --- */

static bool is_dash(const struct block_reader *reader)
{
    return reader->cursor.at[0] == '-' && block_is_blank(reader->cursor.at[1]);
}

/* "- ", any number of times. */
static bool read_dashes(struct block_reader *reader)
{
    while (is_dash(reader)) {
        struct block_level *list = advance(reader, YAML_NODE_LIST, block_position(&reader->cursor));

        if (!list)
            return false;
        reader->cursor.at++;
        await(reader, list);
        block_skip_spaces(&reader->cursor);
    }
    return true;
}

static bool read_key(struct block_reader *reader)
{
    struct block_event key;
    struct block_level *map;

    if (!block_scan(&reader->cursor, &key) || !is_key(reader, &key))
        return false;
    map = advance(reader, YAML_NODE_MAP, key.position);
    if (!map)
        return false;
    add(reader, &key);
    reader->cursor.at++;
    await(reader, map);
    block_skip_spaces(&reader->cursor);
    return true;
}

static bool read_line(struct block_reader *reader)
{
    const char *begin;
    bool after_dash;

    block_skip_spaces(&reader->cursor);
    if (block_is_over(&reader->cursor))
        return block_end_line(&reader->cursor);
    after_dash = is_dash(reader);
    leave_to(reader, block_position(&reader->cursor).column - 1, after_dash);
    if (!read_dashes(reader))
        return false;
    begin = reader->cursor.at;
    if (!block_is_over(&reader->cursor) && !read_key(reader)) {
        reader->cursor.at = begin;
        if (!after_dash || !read_value(reader))
            return false;
    } else if (!block_is_over(&reader->cursor) && !read_value(reader)) {
        return false;
    }
    return block_end_line(&reader->cursor);
}

/* --- Documents --- */

static bool is_printable(const char *bytes, size_t size)
{
    bool is_good = true;

    for (size_t i = 0; i < size; i++)
        is_good &= (bytes[i] >= ' ' && bytes[i] <= '~') || bytes[i] == '\n';
    return is_good;
}

static bool read_lines(struct block_reader *reader, const struct documents *documents, size_t size)
{
    const char *bytes = documents->bytes + documents->start;

    if (size == 0 || bytes[size - 1] != '\n' || !is_printable(bytes, size))
        return false;
    reader->cursor = (struct block_cursor){bytes, bytes, documents->base.line};
    reader->n_events = 0;
    reader->depth = 0;
    while (reader->cursor.at < bytes + size) {
        if (!read_line(reader))
            return false;
    }
    while (reader->depth > 0)
        leave(reader);
    return reader->n_events > 0;
}

static bool pass(struct composer *composer, const struct block_event *event)
{
    switch (event->type) {
    case EVENT_SCALAR:
        return composer_scalar(composer, event->text, event->length, event->plain, event->position,
                               NULL);
    case EVENT_MAP: return composer_begin(composer, YAML_NODE_MAP, event->position, NULL);
    case EVENT_LIST: return composer_begin(composer, YAML_NODE_LIST, event->position, NULL);
    case EVENT_END: return composer_end(composer);
    }
    return false;
}

int block_reader_run(struct block_reader *reader, struct documents *documents,
                     struct composer *composer)
{
    size_t size;

    if (!documents->line_start || documents->directives || documents->base.line > INT32_MAX)
        return READER_OTHER_STYLE;
    size = documents_whole(documents);
    if (!read_lines(reader, documents, size))
        return READER_OTHER_STYLE;
    for (size_t i = 0; i < reader->n_events; i++) {
        if (!pass(composer, &reader->events[i]))
            return READER_BAD;
    }
    composer_document(composer);
    documents_take(documents, size);
    return READER_DONE;
}
