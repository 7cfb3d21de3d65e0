/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of one file on their way to a parser, as UTF-8: in chunks, counted against the greatest
 * size, without byte order marks. What is no UTF-8 becomes U+FFFD, as kubectl reads it, and is
 * noted. So are the lines that hold template marks.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/util/error.h"
#include "tree.h"

#define INPUT_CHUNK (32u << 10)

/* Reads up to `size` bytes into `buffer`: their number, 0 at the end, negative errno. */
typedef ssize_t (*input_read)(void *userdata, void *buffer, size_t size);

/* That of a file: `fd` is an int *. */
ssize_t input_read_fd(void *fd, void *buffer, size_t size);

enum input_encoding { INPUT_UNKNOWN, INPUT_UTF8, INPUT_UTF16_LE, INPUT_UTF16_BE };

struct input {
    input_read read;
    void *userdata;
    uint64_t max_size, total;
    int error;      /* negative errno of `read` */
    bool too_large; /* the input was cut at max_size */
    bool ended;
    enum input_encoding encoding;
    size_t start, end;     /* what waits in `buffer`, whole characters only */
    struct position next;  /* of buffer[end] */
    char last;             /* the byte before it */
    GArray *marks;         /* uint32_t: the latest lines with "{{" or "{%" */
    GPtrArray *malformed;  /* struct diagnostic *: what was no UTF-8 */
    struct position after; /* the last of them: what follows at once is not noted again */
    size_t raw_start, raw_end;
    char raw[INPUT_CHUNK]; /* as read */
    char buffer[INPUT_CHUNK];
};

void input_init(struct input *input, input_read read, void *userdata, uint64_t max_size);
void input_clear(struct input *input);

/* How many bytes wait from buffer[start] on; reads more if none do. 0 at the end and after an
 * error. */
MUST_USE size_t input_fill(struct input *input);

/* Moves what was said of the bytes to where it comes before what was said of the content. */
void input_take_malformed(struct input *input, GPtrArray *diagnostics);

/* Did any of the lines hold a template mark? Only the latest thousands are remembered. */
bool input_has_template(const struct input *input, uint32_t from, uint32_t to);
