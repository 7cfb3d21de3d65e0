/*
 * The input: one buffer, filled when it is empty. Helm, Go and Jinja templates break a YAML parser
 * at places that tell their author nothing, so the lines with their marks are noted in passing.
 */
#include "input.h"

#include <errno.h>
#include <string.h>

#define MARKS_MAX 16384u

void input_init(struct input *input, manifest_input read, void *userdata, uint64_t max_size)
{
    input->read = read;
    input->userdata = userdata;
    input->max_size = max_size;
    input->line = 1;
    input->marks = g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

void input_clear(struct input *input)
{
    g_clear_pointer(&input->marks, g_array_unref);
}

void input_cancel(struct input *input)
{
    input->start = input->end = 0;
    input->ended = true;
    input->error = -ECANCELED;
}

static void note_mark(struct input *input)
{
    GArray *marks = input->marks;

    if (marks->len > 0 && g_array_index(marks, uint32_t, marks->len - 1) == input->line)
        return;
    if (marks->len == MARKS_MAX)
        g_array_remove_range(marks, 0, MARKS_MAX / 2);
    g_array_append_val(marks, input->line);
}

static void note_lines(struct input *input, const char *bytes, size_t size)
{
    const char *end = bytes + size, *at = bytes;

    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *limit = stop ? stop : end;

        while ((at = memchr(at, '{', (size_t)(limit - at)))) {
            char next = at + 1 < end ? at[1] : '\0';

            if (next == '{' || next == '%')
                note_mark(input);
            at++;
        }
        if (!stop)
            break;
        input->line++;
        at = stop + 1;
    }
    if (input->last == '{' && (bytes[0] == '{' || bytes[0] == '%'))
        note_mark(input);
    input->last = end[-1];
}

size_t input_fill(struct input *input)
{
    ssize_t n;

    if (input->start < input->end)
        return input->end - input->start;
    input->start = input->end = 0;
    fiber_breathe(input->fiber);
    if (input->ended)
        return 0;
    n = input->read(input->userdata, input->buffer, sizeof input->buffer);
    if (n <= 0) {
        input->ended = true;
        input->error = (int)n;
        return 0;
    }
    if ((uint64_t)n > input->max_size - input->total) {
        input->ended = true;
        input->too_large = true;
        return 0;
    }
    input->total += (uint64_t)n;
    input->end = (size_t)n;
    note_lines(input, input->buffer, (size_t)n);
    return (size_t)n;
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
