/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The input. Like the decoder through which kubectl reads files,
 * it drops a byte order mark, accepts UTF-16 that begins with one and replaces malformed bytes
 * before any parser sees them. Helm, Go and Jinja templates break a YAML parser at places that tell
 * their author nothing, so lines with template marks are recorded in passing.
 */
#include "input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/diagnostic.h"

#define MARKS_MAX 16384u
#define MALFORMED_MAX 20u
#define REPLACEMENT "\xef\xbf\xbd"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define MARK_SIZE (sizeof BYTE_ORDER_MARK - 1)
#define CHARACTER_MAX 4u /* bytes of one, in UTF-8 and in UTF-16 */

ssize_t input_read_fd(void *fd, void *buffer, size_t size)
{
    ssize_t n;

    do
        n = read(*(const int *)fd, buffer, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

void input_init(struct input *input, input_read read, void *userdata, uint64_t max_size)
{
    input->read = read;
    input->userdata = userdata;
    input->max_size = max_size;
    input->next = (struct position){.line = 1, .column = 1};
    input->last = '\n';
    input->marks = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    input->malformed = g_ptr_array_new_with_free_func((GDestroyNotify)diagnostic_free);
}

void input_clear(struct input *input)
{
    g_clear_pointer(&input->marks, g_array_unref);
    g_clear_pointer(&input->malformed, g_ptr_array_unref);
}

static void note_mark(struct input *input, uint32_t line)
{
    GArray *marks = input->marks;

    if (marks->len > 0 && g_array_index(marks, uint32_t, marks->len - 1) == line)
        return;
    if (marks->len == MARKS_MAX)
        g_array_remove_range(marks, 0, MARKS_MAX / 2);
    g_array_append_val(marks, line);
}

static void note_marks(struct input *input, const char *bytes, size_t size)
{
    const char *end = bytes + size, *at = bytes, *counted = bytes;
    uint32_t line = input->next.line;

    if (input->last == '{' && (bytes[0] == '{' || bytes[0] == '%'))
        note_mark(input, line);
    while ((at = memchr(at, '{', (size_t)(end - at)))) {
        const char *brace = at++;
        const char *newline;

        if (at == end || (*at != '{' && *at != '%'))
            continue;
        while ((newline = memchr(counted, '\n', (size_t)(brace - counted)))) {
            counted = newline + 1;
            line++;
        }
        note_mark(input, line);
    }
}

/* Passes on well-formed text. */
static void emit(struct input *input, const char *bytes, size_t size)
{
    if (size == 0)
        return;
    note_marks(input, bytes, size);
    memcpy(input->buffer + input->end, bytes, size);
    input->end += size;
    input->last = bytes[size - 1];
    position_advance(&input->next, bytes, size);
}

static void emit_replacement(struct input *input)
{
    GPtrArray *malformed = input->malformed;
    const struct position *at = &input->next, *after = &input->after;
    bool goes_on = at->line == after->line && at->column == after->column;
    const char *what = input->encoding == INPUT_UTF8 ? "UTF-8" : "UTF-16";

    if (!goes_on && malformed->len <= MALFORMED_MAX)
        g_ptr_array_add(malformed,
                        diagnostic_new(DIAGNOSTIC_WARNING, at->line, at->column, "encoding", NULL,
                                       malformed->len < MALFORMED_MAX
                                           ? "not valid %s; read as U+FFFD"
                                           : "not valid %s either; more places in this "
                                             "file are not listed",
                                       what));
    emit(input, REPLACEMENT, sizeof REPLACEMENT - 1);
    input->after = input->next;
}

/* How many bytes are ASCII before one that is not, but for a few; most files are nothing else. */
static size_t ascii_length(const char *bytes, size_t size)
{
    size_t length = 0;

    for (uint64_t word; length + sizeof word <= size; length += sizeof word) {
        memcpy(&word, bytes + length, sizeof word);
        if ((word & 0x8080808080808080u) != 0)
            break;
    }
    return length;
}

/* How many bytes are well-formed and consist of whole characters. */
static size_t valid_length(const char *bytes, size_t size)
{
    size_t length = ascii_length(bytes, size);

    while (length < size) {
        const char *stop;

        if (g_utf8_validate_len(bytes + length, size - length, &stop))
            return size;
        length = (size_t)(stop - bytes);
        if (*stop != '\0')
            return length;
        length++; /* which the parsers reject */
    }
    return length;
}

/* May the bytes be the start of a character? */
static bool is_incomplete(const char *bytes, size_t size)
{
    return g_utf8_get_char_validated(bytes, (gssize)size) == (gunichar)-2;
}

/* A mark is ignored at the start of a line: editors write it at the start of a file, and files get
 * concatenated. */
static size_t skip_mark(const struct input *input, const char *bytes, size_t size)
{
    bool marked = size >= MARK_SIZE && memcmp(bytes, BYTE_ORDER_MARK, MARK_SIZE) == 0;

    return input->last == '\n' && marked ? MARK_SIZE : 0;
}

/* The length of what comes before the next mark at the start of a line. */
static size_t length_to_mark(const char *bytes, size_t size)
{
    const char *end = bytes + size, *at = bytes;

    /* memmem() is slow, and most files have no character that begins like a mark */
    while ((at = memchr(at, BYTE_ORDER_MARK[0], (size_t)(end - at)))) {
        if (at > bytes && at[-1] == '\n' && (size_t)(end - at) >= MARK_SIZE &&
            memcmp(at, BYTE_ORDER_MARK, MARK_SIZE) == 0)
            return (size_t)(at - bytes);
        at++;
    }
    return size;
}

static void decode_utf8(struct input *input)
{
    while (input->raw_start < input->raw_end) {
        const char *bytes = input->raw + input->raw_start;
        size_t size = input->raw_end - input->raw_start;
        size_t skip = skip_mark(input, bytes, size), length;

        input->raw_start += skip;
        if (skip > 0)
            continue;
        length = valid_length(bytes, MIN(size, input->size - input->end));
        if (length == 0 && !input->ended && is_incomplete(bytes, size))
            return;
        if (length == 0 && input->end + CHARACTER_MAX > input->size)
            return;
        if (length == 0) {
            emit_replacement(input);
            input->raw_start++;
            continue;
        }
        length = length_to_mark(bytes, length);
        emit(input, bytes, length);
        input->raw_start += length;
    }
}

static uint32_t utf16_unit(const struct input *input, size_t at)
{
    unsigned a = (unsigned char)input->raw[at], b = (unsigned char)input->raw[at + 1];

    return input->encoding == INPUT_UTF16_LE ? b << 8 | a : a << 8 | b;
}

/* The next character and its size; 0 if it is not complete. */
static size_t utf16_character(const struct input *input, uint32_t *character)
{
    size_t left = input->raw_end - input->raw_start;
    uint32_t low;

    if (left < 2)
        return 0;
    *character = utf16_unit(input, input->raw_start);
    if ((*character & 0xfc00) != 0xd800)
        return 2;
    if (left < 4)
        return 0;
    low = utf16_unit(input, input->raw_start + 2);
    if ((low & 0xfc00) != 0xdc00)
        return 2;
    *character = 0x10000 + ((*character & 0x3ff) << 10) + (low & 0x3ff);
    return 4;
}

static void decode_utf16(struct input *input)
{
    while (input->raw_start < input->raw_end && input->end + CHARACTER_MAX <= input->size) {
        uint32_t character = 0xd800;
        size_t size = utf16_character(input, &character);
        char text[6];

        if (size == 0 && !input->ended)
            return;
        if (size == 0)
            size = MIN(input->raw_end - input->raw_start, 2);
        input->raw_start += size;
        if (character == 0xfeff && input->last == '\n')
            continue;
        if ((character & 0xfffff800) == 0xd800)
            emit_replacement(input);
        else
            emit(input, text, (size_t)g_unichar_to_utf8(character, text));
    }
}

static void recognise_encoding(struct input *input)
{
    if (input->raw_end < 2 && !input->ended)
        return;
    input->encoding = INPUT_UTF8;
    if (input->raw_end >= 2 && memcmp(input->raw, "\xff\xfe", 2) == 0)
        input->encoding = INPUT_UTF16_LE;
    else if (input->raw_end >= 2 && memcmp(input->raw, "\xfe\xff", 2) == 0)
        input->encoding = INPUT_UTF16_BE;
}

/* Adds to the raw bytes. */
static void read_more(struct input *input)
{
    ssize_t n;

    if (input->ended)
        return;
    input->raw_end -= input->raw_start;
    memmove(input->raw, input->raw + input->raw_start, input->raw_end);
    input->raw_start = 0;
    n = input->read(input->userdata, input->raw + input->raw_end,
                    sizeof input->raw - input->raw_end);
    if (n <= 0) {
        input->ended = true;
        input->error = (int)n;
        return;
    }
    if ((uint64_t)n > input->max_size - input->total) {
        input->ended = true;
        input->too_large = true;
        input->raw_end = 0;
        return;
    }
    input->total += (uint64_t)n;
    input->raw_end += (size_t)n;
}

static void decode(struct input *input)
{
    if (input->encoding == INPUT_UNKNOWN)
        recognise_encoding(input);
    if (input->encoding == INPUT_UTF8)
        decode_utf8(input);
    else if (input->encoding != INPUT_UNKNOWN)
        decode_utf16(input);
}

size_t input_fill(struct input *input, char *buffer, size_t size)
{
    input->buffer = buffer;
    input->size = size;
    input->end = 0;
    decode(input);
    while (input->end == 0 && !input->ended) {
        read_more(input);
        decode(input);
    }
    return input->end;
}

void input_take_malformed(struct input *input, GPtrArray *diagnostics)
{
    for (gint i = 0; input->malformed->len > 0; i++)
        g_ptr_array_insert(diagnostics, i, g_ptr_array_steal_index(input->malformed, 0));
}

bool input_has_template(const struct input *input, uint32_t from, uint32_t to)
{
    for (guint i = input->marks->len; i-- > 0;) {
        uint32_t line = g_array_index(input->marks, uint32_t, i);

        if (line >= from && line <= to)
            return true;
    }
    return false;
}
