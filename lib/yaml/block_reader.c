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

#include <string.h>

#include "reader.h"

#define LEVELS_MAX 64u
#define FLOW_LEVELS_MAX 8u
#define KEY_MAX 512u    /* bytes; libyaml takes 1024 characters */
#define EVENTS_MIN 256u /* initial capacity */

enum block_event_type { EVENT_SCALAR, EVENT_MAP, EVENT_LIST, EVENT_END };

struct block_event {
    const char *text; /* scalar: in the document */
    uint32_t length;
    struct position position;
    enum block_event_type type;
    bool plain;
};

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
    const char *at;   /* the next character; each line ends with '\n' */
    const char *line; /* the first one of its line */
    uint32_t number;  /* of the line */
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

/* --- Characters --- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\n';
}

static bool is_word(char c)
{
    return g_ascii_isalnum(c) || c == '_' || c == '/';
}

static unsigned column(const struct block_reader *reader)
{
    return (unsigned)(reader->at - reader->line);
}

static struct position position(const struct block_reader *reader)
{
    return (struct position){.line = reader->number, .column = column(reader) + 1};
}

static void skip_spaces(struct block_reader *reader)
{
    while (*reader->at == ' ')
        reader->at++;
}

/* Does nothing follow on the line but a comment? */
static bool is_over(const struct block_reader *reader)
{
    const char *at = reader->at;

    return *at == '\n' || (*at == '#' && (at == reader->line || at[-1] == ' '));
}

static bool end_line(struct block_reader *reader)
{
    skip_spaces(reader);
    if (!is_over(reader))
        return false;
    while (*reader->at != '\n')
        reader->at++;
    reader->line = ++reader->at;
    reader->number++;
    return true;
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
    add(reader, &(struct block_event){.type = type, .position = position(reader)});
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

/* The next key or dash, whose value may follow `reader->at`. */
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
    level->missing = position(reader);
}

/* --- Scalars --- */

static bool scan_quoted(struct block_reader *reader, struct block_event *event)
{
    char quote = *reader->at++;
    const char *text = reader->at, *end = text;

    for (; *end != quote; end++) {
        if (*end == '\n' || (*end == '\\' && quote == '"'))
            return false;
    }
    if (quote == '\'' && end[1] == quote)
        return false;
    event->text = text;
    event->length = (uint32_t)(end - text);
    reader->at = end + 1;
    return true;
}

/* What begins with another character may be something else than a plain scalar; a dash or a point
 * at the start of a line, a separator. */
static bool begins_plain(const struct block_reader *reader)
{
    const char *at = reader->at;

    if (is_word(*at))
        return true;
    if (at == reader->line)
        return false;
    return strchr(".~+$(", *at) || (*at == '-' && !is_blank(at[1]));
}

static bool scan_plain(struct block_reader *reader, struct block_event *event)
{
    const char *text = reader->at, *end = text;

    if (!begins_plain(reader))
        return false;
    while (*end != '\n' && !(*end == ':' && is_blank(end[1])) && !(*end == '#' && end[-1] == ' '))
        end++;
    while (end[-1] == ' ')
        end--;
    event->text = text;
    event->length = (uint32_t)(end - text);
    event->plain = true;
    reader->at = end;
    return true;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static bool scan_scalar(struct block_reader *reader, struct block_event *event)
{
    *event = (struct block_event){.type = EVENT_SCALAR, .position = position(reader)};
    return is_quote(*reader->at) ? scan_quoted(reader, event) : scan_plain(reader, event);
}

/* In brackets, where more characters have a meaning. */
static bool scan_flow_scalar(struct block_reader *reader, struct block_event *event)
{
    const char *end = reader->at;

    *event = (struct block_event){.type = EVENT_SCALAR, .position = position(reader)};
    if (is_quote(*end))
        return scan_quoted(reader, event);
    if (!is_word(*end))
        return false;
    while (is_word(*end) || *end == '.' || *end == '-')
        end++;
    event->text = reader->at;
    event->length = (uint32_t)(end - reader->at);
    event->plain = true;
    reader->at = end;
    return true;
}

/* --- Values --- */

static bool is_flow(const struct block_reader *reader)
{
    return *reader->at == '{' || *reader->at == '[';
}

static bool is_key(const struct block_reader *reader, const struct block_event *scalar)
{
    return reader->at[0] == ':' && is_blank(reader->at[1]) && scalar->length <= KEY_MAX;
}

static bool read_flow(struct block_reader *reader, unsigned levels);

static bool read_flow_key(struct block_reader *reader)
{
    struct block_event key;

    if (!scan_flow_scalar(reader, &key) || !is_key(reader, &key))
        return false;
    add(reader, &key);
    reader->at++;
    skip_spaces(reader);
    return true;
}

static bool read_flow_value(struct block_reader *reader, unsigned levels)
{
    struct block_event scalar;

    if (is_flow(reader))
        return read_flow(reader, levels);
    if (!scan_flow_scalar(reader, &scalar))
        return false;
    add(reader, &scalar);
    return true;
}

static bool read_flow(struct block_reader *reader, unsigned levels)
{
    bool is_map = *reader->at == '{', is_first = true;

    if (levels == 0)
        return false;
    add_type(reader, is_map ? EVENT_MAP : EVENT_LIST);
    reader->at++;
    skip_spaces(reader);
    for (; *reader->at != (is_map ? '}' : ']'); is_first = false) {
        if (!is_first && *reader->at++ != ',')
            return false;
        skip_spaces(reader);
        if ((is_map && !read_flow_key(reader)) || !read_flow_value(reader, levels - 1))
            return false;
        skip_spaces(reader);
    }
    add_type(reader, EVENT_END);
    reader->at++;
    return true;
}

static bool read_value(struct block_reader *reader)
{
    struct block_event scalar;

    top(reader)->pending = false;
    if (is_flow(reader))
        return read_flow(reader, FLOW_LEVELS_MAX);
    if (!scan_scalar(reader, &scalar))
        return false;
    add(reader, &scalar);
    return true;
}

/* --- Lines --- */

static bool is_dash(const struct block_reader *reader)
{
    return reader->at[0] == '-' && is_blank(reader->at[1]);
}

/* "- ", any number of times. */
static bool read_dashes(struct block_reader *reader)
{
    while (is_dash(reader)) {
        struct block_level *list = advance(reader, YAML_NODE_LIST, position(reader));

        if (!list)
            return false;
        reader->at++;
        await(reader, list);
        skip_spaces(reader);
    }
    return true;
}

static bool read_key(struct block_reader *reader)
{
    struct block_event key;
    struct block_level *map;

    if (!scan_scalar(reader, &key) || !is_key(reader, &key))
        return false;
    map = advance(reader, YAML_NODE_MAP, key.position);
    if (!map)
        return false;
    add(reader, &key);
    reader->at++;
    await(reader, map);
    skip_spaces(reader);
    return true;
}

static bool read_line(struct block_reader *reader)
{
    const char *begin;
    bool after_dash;

    skip_spaces(reader);
    if (is_over(reader))
        return end_line(reader);
    after_dash = is_dash(reader);
    leave_to(reader, column(reader), after_dash);
    if (!read_dashes(reader))
        return false;
    begin = reader->at;
    if (!is_over(reader) && !read_key(reader)) {
        reader->at = begin;
        if (!after_dash || !read_value(reader))
            return false;
    } else if (!is_over(reader) && !read_value(reader)) {
        return false;
    }
    return end_line(reader);
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
    reader->at = reader->line = bytes;
    reader->number = documents->base.line;
    reader->n_events = 0;
    reader->depth = 0;
    while (reader->at < bytes + size) {
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
