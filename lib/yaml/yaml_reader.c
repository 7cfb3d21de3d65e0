/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The YAML reader pulls libyaml's events and passes them on. libyaml limits neither a scalar nor
 * the directives before a document, and reads either within one call; so the bytes it may read for
 * one event are limited here.
 */
#include "yaml_reader.h"

#include <string.h>
#include <yaml.h>

#include "reader.h"
#include "scalar.h"

#define PROLOG_BYTES_MAX (64u << 10) /* before a document's first event, comments not counted */

#define PIECE_FIRST 256u /* bytes */

struct yaml_reader {
    yaml_parser_t parser;
    struct documents *documents;
    struct composer *composer;
    struct position base; /* of the document */
    size_t piece;         /* most bytes to hand to libyaml at once */
    size_t bytes;         /* handed to libyaml since the last event */
    size_t prolog;        /* of them, outside comments and before a document */
    bool in_document, in_comment, exceeded;
};

static bool ends_comment(unsigned char byte)
{
    return byte == '\n' || byte == '\r' || byte == '\0' || byte >= 0x80;
}

/* Only comments of plain ASCII are free of charge, with their line break: other line ends than '\n'
 * could hide directives. */
static void count_prolog(struct yaml_reader *reader, const unsigned char *bytes, size_t size)
{
    const unsigned char *end = bytes + size;

    while (bytes < end) {
        if (!reader->in_comment) {
            const unsigned char *comment = memchr(bytes, '#', (size_t)(end - bytes));

            reader->prolog += (size_t)((comment ? comment : end) - bytes);
            if (!comment)
                return;
            reader->in_comment = true;
            bytes = comment + 1;
        }
        while (bytes < end && !ends_comment(*bytes))
            bytes++;
        if (bytes == end)
            return;
        reader->in_comment = false;
        reader->prolog += *bytes++ != '\n';
    }
}

static int give_bytes(void *userdata, unsigned char *buffer, size_t size, size_t *given)
{
    struct yaml_reader *reader = userdata;
    struct documents *documents = reader->documents;
    size_t n = MIN(MIN(size, reader->piece), documents_fill(documents));

    reader->piece = MIN(2 * reader->piece, INPUT_CHUNK);
    memcpy(buffer, documents->bytes + documents->start, n);
    documents_take(documents, n);
    *given = n;
    reader->bytes += n;
    if (!reader->in_document)
        count_prolog(reader, buffer, n);
    reader->exceeded = reader->bytes > COMPOSER_TOKEN_MAX || reader->prolog > PROLOG_BYTES_MAX;
    return reader->exceeded ? 0 : 1;
}

/* libyaml counts from the start of the document. */
static struct position position_of(const struct yaml_reader *reader, const yaml_mark_t *mark)
{
    uint64_t line = (uint64_t)reader->base.line + mark->line;
    uint64_t column = (mark->line == 0 ? reader->base.column : 1u) + (uint64_t)mark->column;

    return (struct position){.line = (uint32_t)MIN(line, UINT32_MAX),
                             .column = (uint32_t)MIN(column, UINT32_MAX)};
}

/* What libyaml has decoded and not scanned yet lies before the character that it refuses. */
static struct position position_of_character(const struct yaml_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct position position = position_of(reader, &parser->mark);

    position_advance(&position, (const char *)parser->buffer.pointer,
                     (size_t)(parser->buffer.last - parser->buffer.pointer));
    return position;
}

/* libyaml does not say which character it is that "cannot start any token". */
static const char *name_character(const yaml_parser_t *parser)
{
    bool is_tab = parser->error == YAML_SCANNER_ERROR && strstr(parser->problem, "any token") &&
                  parser->buffer.pointer < parser->buffer.last && *parser->buffer.pointer == '\t';

    return is_tab ? " (a tab; indent with spaces)" : "";
}

static int fail(struct yaml_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    bool located = parser->error == YAML_SCANNER_ERROR || parser->error == YAML_PARSER_ERROR;
    struct position position = position_of(reader, located ? &parser->problem_mark : &parser->mark);

    if (parser->error == YAML_MEMORY_ERROR)
        g_error("out of memory");
    if (parser->error == YAML_READER_ERROR)
        position = position_of_character(reader);
    if (reader->exceeded && !reader->in_document)
        composer_fail(reader->composer, position, "too-long",
                      "more than %u KiB of directives or blank lines before a document",
                      PROLOG_BYTES_MAX >> 10);
    else if (reader->exceeded)
        composer_fail(reader->composer, position, "too-long",
                      "a scalar or comment of more than %u MiB", COMPOSER_TOKEN_MAX >> 20);
    else
        composer_fail(reader->composer, position, "syntax", "invalid YAML: %s%s%s%s",
                      located && parser->context ? parser->context : "",
                      located && parser->context ? ", " : "",
                      parser->problem ? parser->problem : "unreadable", name_character(parser));
    return READER_BAD;
}

/* Does a value with a non-string tag have the type of that tag? */
static bool fits_tag(const yaml_char_t *tag, const struct scalar *scalar)
{
    const char *text = (const char *)tag;

    if (strcmp(text, YAML_INT_TAG) == 0)
        return scalar->type == SCALAR_INTEGER && !scalar->floating;
    if (strcmp(text, YAML_FLOAT_TAG) == 0)
        return scalar->type == SCALAR_INTEGER || scalar->type == SCALAR_FLOAT;
    if (strcmp(text, YAML_BOOL_TAG) == 0)
        return scalar->type == SCALAR_BOOL;
    return scalar->type == SCALAR_NULL;
}

static bool is_typed_tag(const yaml_char_t *tag)
{
    static const char *const tags[] = {YAML_INT_TAG, YAML_FLOAT_TAG, YAML_BOOL_TAG, YAML_NULL_TAG,
                                       NULL};

    return tag && g_strv_contains(tags, (const char *)tag);
}

/* A text with a tag has the tag's type, quoted or not; with an unknown tag it is a string. */
static bool pass_scalar(struct yaml_reader *reader, const yaml_event_t *event)
{
    const yaml_char_t *tag = event->data.scalar.tag;
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    struct position position = position_of(reader, &event->start_mark);
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !tag;
    const char *anchor = (const char *)event->data.scalar.anchor;
    g_autofree char *decoded = NULL;

    if (is_typed_tag(tag)) {
        const struct yaml_node node = {.type = YAML_NODE_SCALAR,
                                       .text = text,
                                       .length = (uint32_t)length,
                                       .plain = !memchr(text, '\0', length)};
        struct scalar scalar = scalar_read(&node);

        plain = true;
        if (!fits_tag(tag, &scalar))
            return composer_fail(reader->composer, position, "syntax",
                                 "the value does not match its tag");
    } else if (g_strcmp0((const char *)tag, "tag:yaml.org,2002:merge") == 0) {
        plain = true;
    } else if (g_strcmp0((const char *)tag, "tag:yaml.org,2002:binary") == 0 && length > 1) {
        decoded = (char *)g_base64_decode(text, &length);
        text = decoded;
    }
    return composer_scalar(reader->composer, text, length, plain, position, anchor);
}

static bool pass_event(struct yaml_reader *reader, const yaml_event_t *event)
{
    struct position position = position_of(reader, &event->start_mark);

    switch (event->type) {
    case YAML_SCALAR_EVENT: return pass_scalar(reader, event);
    case YAML_ALIAS_EVENT:
        return composer_alias(reader->composer, (const char *)event->data.alias.anchor, position);
    case YAML_MAPPING_START_EVENT:
        return composer_begin(reader->composer, YAML_NODE_MAP, position,
                              (const char *)event->data.mapping_start.anchor);
    case YAML_SEQUENCE_START_EVENT:
        return composer_begin(reader->composer, YAML_NODE_LIST, position,
                              (const char *)event->data.sequence_start.anchor);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT: return composer_end(reader->composer);
    case YAML_DOCUMENT_START_EVENT: reader->in_document = true; return true;
    case YAML_DOCUMENT_END_EVENT:
        reader->in_document = false;
        reader->in_comment = false;
        composer_document(reader->composer);
        return true;
    default: return true;
    }
}

static int run(struct yaml_reader *reader)
{
    for (;;) {
        yaml_event_t event;
        bool passed, ended;
        size_t read;

        reader->bytes = 0;
        reader->prolog = 0;
        if (!yaml_parser_parse(&reader->parser, &event))
            return fail(reader);
        ended = event.type == YAML_STREAM_END_EVENT;
        passed = pass_event(reader, &event);
        read = event.end_mark.index;
        ended |= event.type == YAML_DOCUMENT_END_EVENT && documents_rewind(reader->documents, read);
        yaml_event_delete(&event);
        if (!passed)
            return READER_BAD;
        if (ended)
            return READER_DONE;
    }
}

int yaml_reader_run(struct documents *documents, struct composer *composer)
{
    struct yaml_reader reader = {
        .documents = documents, .composer = composer, .base = documents->base};
    int r;

    /* Many short documents in braces must not each cause the rest to be read, and a document that
     * has begun has no more prolog to count. */
    reader.piece = PIECE_FIRST;
    if (!yaml_parser_initialize(&reader.parser))
        g_error("out of memory");
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input(&reader.parser, give_bytes, &reader);
    r = run(&reader);
    yaml_parser_delete(&reader.parser);
    return r;
}
