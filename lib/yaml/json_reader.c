/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON reader feeds yajl with pieces of the document. yajl passes no positions to its
 * callbacks, only how far it has read; a token begins at the first byte after the last one that is
 * neither white space nor a separator, so a cursor follows yajl through the text. The end of the
 * value stops yajl, which would continue. Of a text too long to be kept, yajl receives only the
 * beginning and the closing quote: it rereads an incomplete text with each piece.
 */
#include "json_reader.h"

#include <string.h>
#include <yajl/yajl_parse.h>

#include "reader.h"

#define TEXT_MAX (6u * COMPOSER_KEPT_MAX) /* bytes of the longest kept text, all escaped */
#define CALM 16u /* bytes without a backslash or a quote after which no escape is half read */

struct json_reader {
    yajl_handle parser;
    struct documents *documents;
    struct composer *composer;
    const char *piece;
    size_t size, cursor;      /* of `piece`; how far `position` is ahead in it */
    size_t bytes;             /* since the last token */
    struct position position; /* of the cursor */
    struct position token;    /* where the current token begins, if it has */
    bool token_begun;
    bool in_text;  /* the current token is a text */
    bool skipping; /* its rest is withheld from yajl */
    bool escaped;  /* ... and the next byte is no quote */
    bool complete; /* the value is */
};

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ':' || c == ',';
}

static void move_to(struct json_reader *reader, size_t cursor)
{
    position_advance(&reader->position, reader->piece + reader->cursor, cursor - reader->cursor);
    reader->cursor = cursor;
}

static void find_token(struct json_reader *reader)
{
    size_t cursor = reader->cursor;

    if (reader->token_begun)
        return;
    while (cursor < reader->size && is_separator(reader->piece[cursor]))
        cursor++;
    move_to(reader, cursor);
    reader->token = reader->position;
    reader->token_begun = cursor < reader->size;
    reader->in_text = reader->token_begun && reader->piece[cursor] == '"';
}

/* The position of the token that yajl has just read; advances past it. */
static struct position take_token(struct json_reader *reader)
{
    size_t end = MIN(yajl_get_bytes_consumed(reader->parser), reader->size);

    find_token(reader);
    if (reader->cursor < end)
        move_to(reader, end);
    reader->token_begun = false;
    reader->bytes = 0;
    return reader->token;
}

static int pass_scalar(struct json_reader *reader, const char *text, size_t length, bool plain)
{
    struct position position = take_token(reader);

    return composer_scalar(reader->composer, text, length, plain, position, NULL);
}

static int on_null(void *userdata)
{
    return pass_scalar(userdata, "null", 4, true);
}

static int on_boolean(void *userdata, int value)
{
    return value ? pass_scalar(userdata, "true", 4, true) : pass_scalar(userdata, "false", 5, true);
}

static int on_number(void *userdata, const char *text, size_t length)
{
    return pass_scalar(userdata, text, length, true);
}

static int on_string(void *userdata, const unsigned char *text, size_t length)
{
    return pass_scalar(userdata, (const char *)text, length, false);
}

static int begin(struct json_reader *reader, enum yaml_node_type type)
{
    struct position position = take_token(reader);

    return composer_begin(reader->composer, type, position, NULL);
}

static int on_begin_map(void *userdata)
{
    return begin(userdata, YAML_NODE_MAP);
}

static int on_begin_list(void *userdata)
{
    return begin(userdata, YAML_NODE_LIST);
}

static int on_end(void *userdata)
{
    struct json_reader *reader = userdata;

    take_token(reader);
    if (!composer_end(reader->composer))
        return false;
    reader->complete = composer_depth(reader->composer) == 0;
    return !reader->complete;
}

static void *allocate(void *unused, size_t size)
{
    (void)unused;
    return g_malloc(size);
}

static void *reallocate(void *unused, void *memory, size_t size)
{
    (void)unused;
    return g_realloc(memory, size);
}

static void release(void *unused, void *memory)
{
    (void)unused;
    g_free(memory);
}

static yajl_handle make_parser(struct json_reader *reader)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_begin_map,
        .yajl_map_key = on_string,
        .yajl_end_map = on_end,
        .yajl_start_array = on_begin_list,
        .yajl_end_array = on_end,
    };
    yajl_alloc_funcs memory = {allocate, reallocate, release, NULL};
    yajl_handle parser = yajl_alloc(&callbacks, &memory, reader);

    yajl_config(parser, yajl_dont_validate_strings, 1); /* the input has done so */
    return parser;
}

static int fail(struct json_reader *reader)
{
    unsigned char *text = yajl_get_error(reader->parser, 0, NULL, 0);

    composer_fail(reader->composer, take_token(reader), "syntax", "no valid JSON: %s",
                  g_strchomp((char *)text));
    yajl_free_error(reader->parser, text);
    return READER_NOT_JSON;
}

static int read_piece(struct json_reader *reader, size_t size)
{
    struct documents *documents = reader->documents;
    yajl_status status;

    reader->piece = documents->bytes + documents->start;
    reader->size = size;
    reader->cursor = 0;
    reader->bytes += size;
    status = yajl_parse(reader->parser, (const unsigned char *)reader->piece, size);
    if (reader->complete) {
        composer_document(reader->composer);
        documents_take(documents, yajl_get_bytes_consumed(reader->parser));
        return READER_DONE;
    }
    if (status == yajl_status_client_canceled) /* the composer has reported why */
        return READER_BAD;
    if (status != yajl_status_ok)
        return fail(reader);
    find_token(reader);
    if (reader->bytes > COMPOSER_TOKEN_MAX) {
        composer_fail(reader->composer, reader->token, "too-long",
                      "a text or white space of more than %u MiB", COMPOSER_TOKEN_MAX >> 20);
        return READER_BAD;
    }
    move_to(reader, size);
    documents_take(documents, size);
    return READER_DONE;
}

/* The document ends before its value does. YAML would miss the closing brace too. */
static int fail_at_end(struct json_reader *reader)
{
    reader->size = reader->cursor = 0;
    if (yajl_complete_parse(reader->parser) != yajl_status_ok)
        (void)fail(reader);
    return READER_BAD;
}

/* May the rest of the current text be skipped once yajl has the next CALM bytes? */
static bool is_calm(const struct json_reader *reader, size_t size)
{
    const char *bytes = reader->documents->bytes + reader->documents->start;

    return reader->token_begun && reader->in_text && reader->bytes > TEXT_MAX && size >= CALM &&
           !memchr(bytes, '"', CALM) && !memchr(bytes, '\\', CALM);
}

/* On to the closing quote, or to a byte that no text can hold. */
static void skip_text(struct json_reader *reader, size_t size)
{
    const char *bytes = reader->documents->bytes + reader->documents->start;
    size_t n = 0;

    for (; n < size; n++) {
        if (!reader->escaped && (bytes[n] == '"' || (unsigned char)bytes[n] < ' '))
            break;
        reader->escaped = !reader->escaped && bytes[n] == '\\';
    }
    reader->skipping = n == size;
    position_advance(&reader->position, bytes, n);
    documents_take(reader->documents, n);
}

static int run(struct json_reader *reader)
{
    int r = READER_DONE;

    while (r == READER_DONE && !reader->complete) {
        size_t size = documents_fill(reader->documents);

        if (size == 0)
            return fail_at_end(reader);
        if (reader->skipping) {
            skip_text(reader, size);
            continue;
        }
        reader->skipping = is_calm(reader, size);
        r = read_piece(reader, reader->skipping ? CALM : size);
    }
    return r;
}

int json_reader_run(struct documents *documents, struct composer *composer)
{
    struct json_reader reader = {
        .documents = documents, .composer = composer, .position = documents->base};
    int r;

    reader.parser = make_parser(&reader);
    r = run(&reader);
    yajl_free(reader.parser);
    return r;
}
