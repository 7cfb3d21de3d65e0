/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The frames of a report (include/kubesvc/inspect.h), created in memory by one thread and sent by
 * another.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/error.h"
#include <kubesvc/inspect.h>

/* A longer report is aborted: `kubesvc get pods` of 300,000 pods is half of it. */
#define FRAME_WRITER_SIZE_MAX ((size_t)256 << 20)

struct frame_writer {
    GQueue whole;     /* of GByteArray, to be sent */
    GByteArray *open; /* a TEXT frame that is not full yet; NULL: none */
    size_t size;      /* of all that are not sent yet */
    size_t sent;      /* of the first one */
    bool too_large;
};

void frame_writer_init(struct frame_writer *frames);
void frame_writer_clear(struct frame_writer *frames);

/* Text, cut into frames. */
void frame_writer_write(struct frame_writer *frames, const void *text, size_t size);

/* Text that is not a full frame yet is one: more comes only later. */
void frame_writer_flush(struct frame_writer *frames);

/* A frame with no text in it. */
void frame_writer_write_empty(struct frame_writer *frames);

/* The END frame. What was too large ends with that instead. */
void frame_writer_end(struct frame_writer *frames, enum kubesvc_inspect_result result);

/* Sends what the socket takes now. 0: all is sent; FRAME_WRITER_LEFT: it is full; negative errno.
 */
enum { FRAME_WRITER_LEFT = 1 };
MUST_USE int frame_writer_send(struct frame_writer *frames, int fd);

/* An END frame by itself, in 20 bytes. */
#define FRAME_WRITER_END_SIZE (sizeof(struct kubesvc_header) + sizeof(struct kubesvc_inspect_end))
void frame_writer_make_end(uint8_t frame[static FRAME_WRITER_END_SIZE],
                           enum kubesvc_inspect_result result);
