/*
 * The bytes of one file on their way to a parser: in chunks, counted against the greatest size,
 * with a note of the lines that hold template marks.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/manifest/manifest.h"
#include "lib/util/error.h"

#define INPUT_CHUNK (32u << 10)

struct input {
    manifest_input read;
    void *userdata;
    struct fiber *fiber; /* given way on before each chunk; NULL: not at all */
    uint64_t max_size, total;
    int error;      /* negative errno of `read` */
    bool too_large; /* the input was cut at max_size */
    bool ended;
    size_t start, end; /* what waits in `buffer` */
    uint32_t line;     /* of buffer[end], from 1 */
    char last;         /* the byte before it */
    GArray *marks;     /* uint32_t: the latest lines with "{{" or "{%" */
    char buffer[INPUT_CHUNK];
};

void input_init(struct input *input, manifest_input read, void *userdata, uint64_t max_size);
void input_clear(struct input *input);

/* From now on it has ended, by the error -ECANCELED. */
void input_cancel(struct input *input);

/* How many bytes wait from buffer[start] on; reads more if none do. 0 at the end and after an
 * error. */
MUST_USE size_t input_fill(struct input *input);

/* Did any of the lines hold a template mark? Only the latest thousands are remembered. */
bool input_has_template(const struct input *input, uint32_t from, uint32_t to);
