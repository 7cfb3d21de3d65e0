/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A response frame (include/kubesvc/protocol.h) ready for sendmsg: a head of its own, the rest by
 * reference. Nothing of the addresses is copied.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "lib/resolve/search.h"
#include "round_robin.h"

#define ANSWER_PARTS_MAX 7u

struct answer {
    struct {
        struct kubesvc_header header;
        union {
            struct kubesvc_answer answer;
            struct kubesvc_map map;
        };
    } head;
    struct iovec parts[ANSWER_PARTS_MAX]; /* refer to `head` and to the search's result */
    size_t n_parts;
};

/* The bytes of all parts. */
size_t answer_size(const struct answer *answer);

/* A frame without payload: PENDING or UNSUPPORTED. */
void answer_bare(struct answer *answer, enum kubesvc_response_type type);

/* The frame that a descriptor of the snapshot goes with. */
void answer_map(struct answer *answer);

/* An answer without data: any status but FOUND. */
void answer_status(struct answer *answer, enum kubesvc_status status);

/* TRY_AGAIN. `reserved`: as in struct search_result. */
void answer_try_again(struct answer *answer, bool reserved);

/* The answer of a finished search; the leading address moves on unless more than `room` were found
 * and are withheld. `result` must outlive `answer`. */
void answer_result(struct answer *answer, const struct search_result *result, uint32_t room,
                   struct round_robin *round_robin);
