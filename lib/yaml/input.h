/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of one file on their way to a parser, as UTF-8: in chunks, limited in total, without
 * byte order marks. Invalid UTF-8 becomes U+FFFD, as in kubectl, and is reported. Lines with
 * template marks are recorded.
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

/* The input_read for a file: `fd` is an int *. */
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
    char *buffer;          /* the caller's: receives whole characters */
    size_t size, end;      /* of it; how many bytes it has */
    struct position next;  /* of buffer[end] */
    char last;             /* the byte before it */
    GArray *marks;         /* uint32_t: the latest lines with "{{" or "{%" */
    GPtrArray *malformed;  /* struct diagnostic *: invalid UTF-8 */
    struct position after; /* the last of them: what follows directly is not reported again */
    size_t raw_start, raw_end;
    char raw[INPUT_CHUNK]; /* as read */
};

void input_init(struct input *input, input_read read, void *userdata, uint64_t max_size);
void input_clear(struct input *input);

/* Writes up to `size` bytes, at least INPUT_CHUNK, into the buffer; returns how many. 0 at the end
 * and after an error. */
MUST_USE size_t input_fill(struct input *input, char *buffer, size_t size);

/* Moves the diagnostics about the bytes before those about the content. */
void input_take_malformed(struct input *input, GPtrArray *diagnostics);

/* Did any of the lines hold a template mark? Only the latest thousands are remembered. */
bool input_has_template(const struct input *input, uint32_t from, uint32_t to);
