/*
 * The JSON reader feeds yajl with pieces of the input. yajl tells its callbacks no positions, only
 * how far it has read; a token begins at the first byte after the last one that is neither white
 * space nor a separator, so a cursor follows yajl through the text.
 */
#include "json_reader.h"

#include <string.h>
#include <yajl/yajl_parse.h>

#define TOKEN_BYTES_MAX (2u << 20) /* a scalar's greatest size with some escapes */

struct json_reader {
    yajl_handle parser;
    struct input *input;
    struct composer *composer;
    const char *piece;
    size_t size, cursor;      /* of `piece`; how far `position` is ahead in it */
    size_t bytes;             /* since the last token */
    struct position position; /* of the cursor */
    struct position token;    /* where the token at hand begins, if it has */
    bool token_begun;
};

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ':' || c == ',';
}

static void move(struct json_reader *reader)
{
    char c = reader->piece[reader->cursor++];

    if (c == '\n') {
        reader->position.line++;
        reader->position.column = 1;
    } else if (((unsigned char)c & 0xc0) != 0x80 && reader->position.column < UINT32_MAX) {
        reader->position.column++; /* characters, not bytes */
    }
}

static void find_token(struct json_reader *reader)
{
    if (reader->token_begun)
        return;
    while (reader->cursor < reader->size && is_separator(reader->piece[reader->cursor]))
        move(reader);
    reader->token = reader->position;
    reader->token_begun = reader->cursor < reader->size;
}

/* The position of the token that yajl has just read, and on to what follows it. */
static struct position take_token(struct json_reader *reader)
{
    size_t end = MIN(yajl_get_bytes_consumed(reader->parser), reader->size);

    find_token(reader);
    while (reader->cursor < end)
        move(reader);
    reader->token_begun = false;
    reader->bytes = 0;
    return reader->token;
}

static bool end_value(struct json_reader *reader, bool good)
{
    if (good && composer_depth(reader->composer) == 0)
        composer_document(reader->composer);
    fiber_tick(reader->input->fiber);
    return good;
}

static int pass_scalar(struct json_reader *reader, const char *text, size_t length, bool plain)
{
    struct position position = take_token(reader);

    return end_value(reader,
                     composer_scalar(reader->composer, text, length, plain, position, NULL));
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

static int begin(struct json_reader *reader, enum node_type type)
{
    struct position position = take_token(reader);

    fiber_tick(reader->input->fiber);
    return composer_begin(reader->composer, type, position, NULL);
}

static int on_begin_map(void *userdata)
{
    return begin(userdata, NODE_MAP);
}

static int on_begin_list(void *userdata)
{
    return begin(userdata, NODE_LIST);
}

static int on_end(void *userdata)
{
    struct json_reader *reader = userdata;

    take_token(reader);
    return end_value(reader, composer_end(reader->composer));
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

struct json_reader *json_reader_new(struct input *input, struct composer *composer)
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
    struct json_reader *reader = g_new0(struct json_reader, 1);

    reader->input = input;
    reader->composer = composer;
    reader->position = (struct position){.line = 1, .column = 1};
    reader->parser = yajl_alloc(&callbacks, &memory, reader);
    yajl_config(reader->parser, yajl_allow_multiple_values, 1);
    return reader;
}

struct json_reader *json_reader_free(struct json_reader *reader)
{
    if (!reader)
        return NULL;
    yajl_free(reader->parser);
    g_free(reader);
    return NULL;
}

static int fail(struct json_reader *reader, yajl_status status)
{
    unsigned char *text;

    if (status == yajl_status_client_canceled) /* the composer has said why */
        return MANIFEST_BAD;
    text = yajl_get_error(reader->parser, 0, NULL, 0);
    composer_fail(reader->composer, take_token(reader), "syntax", "no valid JSON: %s",
                  g_strchomp((char *)text));
    yajl_free_error(reader->parser, text);
    return MANIFEST_BAD;
}

static int read_piece(struct json_reader *reader, size_t size)
{
    yajl_status status;

    reader->piece = reader->input->buffer + reader->input->start;
    reader->size = size;
    reader->cursor = 0;
    reader->input->start += size;
    reader->bytes += size;
    status = yajl_parse(reader->parser, (const unsigned char *)reader->piece, size);
    if (status != yajl_status_ok)
        return fail(reader, status);
    find_token(reader);
    if (reader->bytes > TOKEN_BYTES_MAX) {
        composer_fail(reader->composer, reader->token, "too-long",
                      "a text or white space of more than %u bytes", COMPOSER_SCALAR_MAX);
        return MANIFEST_BAD;
    }
    while (reader->cursor < size)
        move(reader);
    return MANIFEST_DONE;
}

int json_reader_run(struct json_reader *reader)
{
    yajl_status status;
    size_t size;

    while ((size = input_fill(reader->input)) > 0) {
        int r = read_piece(reader, size);

        if (r != MANIFEST_DONE)
            return r;
    }
    reader->size = reader->cursor = 0;
    status = yajl_complete_parse(reader->parser); /* a number is complete only with the input */
    return status == yajl_status_ok ? MANIFEST_DONE : fail(reader, status);
}
