/*
 * The frames of a report (include/kubesvc/inspect.h), written to a socket that may block.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kubesvc/inspect.h>

struct frames {
    int fd;
    bool broken; /* nobody reads any more */
    uint32_t used;
    uint8_t buffer[sizeof(struct kubesvc_header) + KUBESVC_INSPECT_FRAME];
};

void frames_init(struct frames *frames, int fd);

/* Text, sent in frames as they become full. */
void frames_write(struct frames *frames, const void *text, size_t size);

/* What is left, and the END frame. */
void frames_end(struct frames *frames, enum kubesvc_inspect_result result);

/* An END frame by itself, in 20 bytes. */
#define FRAMES_END_SIZE (sizeof(struct kubesvc_header) + sizeof(struct kubesvc_inspect_end))
void frames_make_end(uint8_t frame[static FRAMES_END_SIZE], enum kubesvc_inspect_result result);

/* The header of a TEXT frame. */
void frames_make_text(struct kubesvc_header *header, size_t size);
