/*
 * The YAML reader pulls libyaml's events and hands them on. libyaml bounds neither a scalar nor the
 * directives before a document, and reads either within one call; so the bytes that it gets for one
 * event are bounded here.
 */
#include "yaml_reader.h"

#include <string.h>
#include <yaml.h>

#define EVENT_BYTES_MAX                                                                            \
    (4u << 20)                       /* a scalar's greatest size, escapes and indentation included \
                                      */
#define PROLOG_BYTES_MAX (64u << 10) /* before a document's first event, comments not counted */

struct yaml_reader {
    yaml_parser_t parser;
    struct input *input;
    struct composer *composer;
    size_t bytes;  /* handed to libyaml since the last event */
    size_t prolog; /* of them, outside comments and before a document */
    bool in_document, in_comment, exceeded;
};

/* Only comments of plain ASCII are free of charge: other line ends than '\n' could hide directives.
 */
static void count_prolog(struct yaml_reader *reader, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bool was_comment = reader->in_comment;

        if (bytes[i] == '#')
            reader->in_comment = true;
        else if (bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\0' || bytes[i] >= 0x80)
            reader->in_comment = false;
        if (!reader->in_comment && !(was_comment && bytes[i] == '\n'))
            reader->prolog++;
    }
}

static int give_bytes(void *userdata, unsigned char *buffer, size_t size, size_t *given)
{
    struct yaml_reader *reader = userdata;
    struct input *input = reader->input;
    size_t n = MIN(size, input_fill(input));

    if (n > 0)
        memcpy(buffer, input->buffer + input->start, n);
    input->start += n;
    *given = n;
    reader->bytes += n;
    if (!reader->in_document)
        count_prolog(reader, buffer, n);
    reader->exceeded = reader->bytes > EVENT_BYTES_MAX || reader->prolog > PROLOG_BYTES_MAX;
    return reader->exceeded ? 0 : 1;
}

struct yaml_reader *yaml_reader_new(struct input *input, struct composer *composer)
{
    struct yaml_reader *reader = g_new0(struct yaml_reader, 1);

    reader->input = input;
    reader->composer = composer;
    if (!yaml_parser_initialize(&reader->parser))
        g_error("out of memory");
    yaml_parser_set_input(&reader->parser, give_bytes, reader);
    return reader;
}

struct yaml_reader *yaml_reader_free(struct yaml_reader *reader)
{
    if (!reader)
        return NULL;
    yaml_parser_delete(&reader->parser);
    g_free(reader);
    return NULL;
}

static struct position position_of(const yaml_mark_t *mark)
{
    return (struct position){.line = (uint32_t)MIN(mark->line + 1, UINT32_MAX),
                             .column = (uint32_t)MIN(mark->column + 1, UINT32_MAX)};
}

static int fail(struct yaml_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    bool located = parser->error == YAML_SCANNER_ERROR || parser->error == YAML_PARSER_ERROR;
    struct position position = position_of(located ? &parser->problem_mark : &parser->mark);

    if (parser->error == YAML_MEMORY_ERROR)
        g_error("out of memory");
    if (reader->exceeded && !reader->in_document)
        composer_fail(reader->composer, position, "too-long",
                      "more than %u KiB of directives or blank lines before a document",
                      PROLOG_BYTES_MAX >> 10);
    else if (reader->exceeded)
        composer_fail(reader->composer, position, "too-long",
                      "a text or comment of more than %u bytes", COMPOSER_SCALAR_MAX);
    else
        composer_fail(reader->composer, position, "syntax", "no valid YAML: %s%s%s",
                      located && parser->context ? parser->context : "",
                      located && parser->context ? ", " : "",
                      parser->problem ? parser->problem : "unreadable");
    return MANIFEST_BAD;
}

static bool is_string_tag(const yaml_char_t *tag)
{
    const char *text = (const char *)tag;

    return text && (strcmp(text, YAML_STR_TAG) == 0 || strcmp(text, "!") == 0 ||
                    strcmp(text, "tag:yaml.org,2002:binary") == 0);
}

static bool pass_scalar(struct yaml_reader *reader, const yaml_event_t *event)
{
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                 !is_string_tag(event->data.scalar.tag);

    return composer_scalar(reader->composer, (const char *)event->data.scalar.value,
                           event->data.scalar.length, plain, position_of(&event->start_mark),
                           (const char *)event->data.scalar.anchor);
}

static bool pass_event(struct yaml_reader *reader, const yaml_event_t *event)
{
    struct position position = position_of(&event->start_mark);

    switch (event->type) {
    case YAML_SCALAR_EVENT: return pass_scalar(reader, event);
    case YAML_ALIAS_EVENT:
        return composer_alias(reader->composer, (const char *)event->data.alias.anchor, position);
    case YAML_MAPPING_START_EVENT:
        return composer_begin(reader->composer, NODE_MAP, position,
                              (const char *)event->data.mapping_start.anchor);
    case YAML_SEQUENCE_START_EVENT:
        return composer_begin(reader->composer, NODE_LIST, position,
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

int yaml_reader_run(struct yaml_reader *reader)
{
    for (;;) {
        yaml_event_t event;
        bool passed, ended;

        fiber_tick(reader->input->fiber);
        reader->bytes = 0;
        reader->prolog = 0;
        if (!yaml_parser_parse(&reader->parser, &event))
            return fail(reader);
        ended = event.type == YAML_STREAM_END_EVENT;
        passed = pass_event(reader, &event);
        yaml_event_delete(&event);
        if (!passed)
            return MANIFEST_BAD;
        if (ended)
            return MANIFEST_DONE;
    }
}
