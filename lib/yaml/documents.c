/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Documents. Only line starts are examined: no JSON text can contain a line that begins with
 * dashes, and in YAML such a line is a separator even inside a block. Blank lines and comments
 * before a document are dropped here, so that they need not be kept.
 */
#include "documents.h"

#include <string.h>

#define WINDOW (2u * INPUT_CHUNK)
#define SEPARATOR_SIZE 3u          /* "---" and "..." */
#define SPACE_MAX 3u               /* bytes of a white-space character */
#define INDENTATION_MAX (4u << 10) /* more is left for the parser to reject */

void documents_init(struct documents *documents, struct input *input)
{
    *documents = (struct documents){
        .input = input, .line_start = true, .position = {.line = 1, .column = 1}};
    documents->size = WINDOW;
    documents->bytes = g_malloc(documents->size);
}

void documents_clear(struct documents *documents)
{
    g_clear_pointer(&documents->bytes, g_free);
}

/* Moves the bytes still needed to the front; makes room for a chunk. */
static void make_room(struct documents *documents)
{
    size_t first, needed;

    if (documents->marked && documents->start - documents->mark > DOCUMENTS_KEPT_MAX)
        documents->marked = false;
    first = documents->marked ? documents->mark : documents->start;
    if (first > 0)
        memmove(documents->bytes, documents->bytes + first, documents->end - first);
    documents->start -= first;
    documents->limit -= first;
    documents->end -= first;
    documents->mark = 0;
    needed = documents->end + INPUT_CHUNK;
    if (needed > documents->size || (documents->size > WINDOW && needed <= WINDOW)) {
        documents->size = needed > documents->size ? MAX(needed, 2 * documents->size) : WINDOW;
        documents->bytes = g_realloc(documents->bytes, documents->size);
    }
}

static bool read_more(struct documents *documents)
{
    const struct input *input = documents->input;
    size_t n;

    if (input->ended && input->raw_start == input->raw_end)
        return false;
    if (documents->size - documents->end < INPUT_CHUNK || documents->start == documents->end)
        make_room(documents);
    n = input_fill(documents->input, documents->bytes + documents->end,
                   documents->size - documents->end);
    documents->end += n;
    return n > 0;
}

/* Are there that many bytes from start + offset on? */
static bool has(struct documents *documents, size_t offset, size_t size)
{
    while (documents->end - documents->start < offset + size) {
        if (!read_more(documents))
            return false;
    }
    return true;
}

/* The length of a white-space character, as Unicode defines them; 0 for any other. */
static size_t space_length(const char *bytes, size_t size)
{
    gunichar character;

    if (size == 0)
        return 0;
    if ((unsigned char)*bytes < 0x80)
        return *bytes == ' ' || (*bytes >= '\t' && *bytes <= '\r');
    character = g_utf8_get_char_validated(bytes, (gssize)size);
    if (character == 0x85 || (character < 0x110000 && g_unichar_isspace(character)))
        return (size_t)g_unichar_to_utf8(character, NULL);
    return 0;
}

static size_t space_at(struct documents *documents, size_t offset)
{
    (void)has(documents, offset, SPACE_MAX);
    return space_length(documents->bytes + documents->start + offset,
                        documents->end - documents->start - offset);
}

static char byte_at(struct documents *documents, size_t offset)
{
    return has(documents, offset, 1) ? documents->bytes[documents->start + offset] : '\0';
}

/* Do the bytes begin with a separator's three characters? */
static bool has_dashes(const char *bytes)
{
    return memcmp(bytes, "---", SEPARATOR_SIZE) == 0 || memcmp(bytes, "...", SEPARATOR_SIZE) == 0;
}

static bool ends_separator(const char *bytes, size_t size)
{
    return size == 0 || *bytes == '#' || space_length(bytes, size) > 0;
}

enum line { LINE_ORDINARY, LINE_SEPARATOR, LINE_UNKNOWN };

/* Unknown: more of the file is needed to tell. `whole`: there is no more. */
static enum line line_kind(const struct documents *documents, size_t line, bool whole)
{
    const char *bytes = documents->bytes + line;
    size_t size = documents->end - line;

    if (!whole && (size == 0 || (size < SEPARATOR_SIZE && strchr("-.", *bytes))))
        return LINE_UNKNOWN;
    if (size < SEPARATOR_SIZE || !has_dashes(bytes))
        return LINE_ORDINARY;
    if (!whole && size < SEPARATOR_SIZE + SPACE_MAX)
        return LINE_UNKNOWN;
    return ends_separator(bytes + SEPARATOR_SIZE, size - SEPARATOR_SIZE) ? LINE_SEPARATOR
                                                                         : LINE_ORDINARY;
}

/* Finds how far the document reaches in the buffer. A line break before an undecided line stays, so
 * that the line is examined again. */
static void find_limit(struct documents *documents, bool whole)
{
    size_t from = documents->limit;
    const char *newline;

    documents->limit = documents->end;
    while ((newline = memchr(documents->bytes + from, '\n', documents->end - from))) {
        enum line kind;

        from = (size_t)(newline - documents->bytes) + 1;
        kind = line_kind(documents, from, whole);
        if (kind == LINE_UNKNOWN) {
            documents->limit = from - 1;
            return;
        }
        if (kind == LINE_SEPARATOR && !documents->directives) {
            documents->limit = from;
            documents->separated = true;
            return;
        }
        if (kind == LINE_SEPARATOR)
            documents->directives = false;
    }
}

size_t documents_fill(struct documents *documents)
{
    while (documents->limit == documents->start && !documents->separated) {
        find_limit(documents, false);
        if (documents->limit > documents->start || documents->separated)
            break;
        if (read_more(documents))
            continue;
        if (documents->start == documents->end)
            return 0;
        find_limit(documents, true);
    }
    return documents->limit - documents->start;
}

size_t documents_whole(struct documents *documents)
{
    bool ended = false;

    find_limit(documents, false);
    while (!documents->separated && !ended &&
           documents->end - documents->start <= DOCUMENTS_WHOLE_MAX) {
        ended = !read_more(documents);
        find_limit(documents, ended);
    }
    if ((!documents->separated && !ended) ||
        documents->limit - documents->start > DOCUMENTS_WHOLE_MAX)
        return 0;
    return documents->limit - documents->start;
}

void documents_take(struct documents *documents, size_t size)
{
    const char *bytes = documents->bytes + documents->start;

    if (size == 0)
        return;
    position_advance(&documents->position, bytes, size);
    documents->line_start = bytes[size - 1] == '\n';
    documents->start += size;
    documents->limit = MAX(documents->limit, documents->start);
}

void documents_mark(struct documents *documents)
{
    documents->marked = true;
    documents->mark = documents->start;
}

void documents_unmark(struct documents *documents)
{
    documents->marked = false;
}

bool documents_rewind(struct documents *documents, size_t characters)
{
    const char *from = documents->bytes + documents->mark, *to = from;

    if (!documents->marked)
        return false;
    for (; characters > 0 && to < documents->bytes + documents->start; characters--)
        to = g_utf8_next_char(to);
    documents->start = documents->mark;
    documents->position = documents->base;
    documents_take(documents, (size_t)(to - from));
    return true;
}

static void skip_line(struct documents *documents)
{
    while (has(documents, 0, 1)) {
        const char *bytes = documents->bytes + documents->start;
        size_t left = documents->end - documents->start, length = 0;

        while (length < left && bytes[length] != '\n' && bytes[length] != '\r')
            length++;
        documents_take(documents, length);
        if (length < left)
            return;
    }
}

static enum document_start begin(struct documents *documents, enum document_start start)
{
    documents->base = documents->position;
    documents->limit = documents->start;
    return start;
}

/* White space of one line; *ended: including the line break. */
static size_t blank_length(struct documents *documents, size_t offset, bool *ended)
{
    size_t length;

    for (*ended = false; !*ended && offset < INDENTATION_MAX; offset += length) {
        length = space_at(documents, offset);
        if (length == 0)
            break;
        *ended = byte_at(documents, offset) == '\n';
    }
    return offset;
}

/* True: a separator was skipped. One followed by text is part of the document, except before a
 * brace, where it makes no difference. */
static bool skip_separator(struct documents *documents)
{
    size_t blank;
    bool ended, bare;

    if (!documents->line_start || !has(documents, 0, SEPARATOR_SIZE) ||
        !has_dashes(documents->bytes + documents->start))
        return false;
    blank = blank_length(documents, SEPARATOR_SIZE, &ended);
    bare = ended || !has(documents, blank, 1) || byte_at(documents, blank) == '#';
    if (!bare && (blank == SEPARATOR_SIZE || byte_at(documents, blank) != '{'))
        return false;
    documents_take(documents, blank);
    return true;
}

enum document_start documents_next(struct documents *documents)
{
    documents->limit = documents->start;
    documents->separated = documents->directives = false;
    for (;;) {
        size_t blank;
        bool ended;

        if (skip_separator(documents))
            continue;
        blank = blank_length(documents, 0, &ended);
        if (ended || !has(documents, blank, 1)) {
            documents_take(documents, blank);
            if (!ended)
                return DOCUMENT_NONE;
            continue;
        }
        if (byte_at(documents, blank) == '#') {
            documents_take(documents, blank);
            skip_line(documents);
            continue;
        }
        if (byte_at(documents, blank) == '{') {
            documents_take(documents, blank);
            return begin(documents, DOCUMENT_BRACE);
        }
        documents->directives = documents->line_start && byte_at(documents, 0) == '%';
        if (!documents->line_start)
            documents_take(documents, blank); /* else it is indentation */
        return begin(documents, DOCUMENT_OTHER);
    }
}
