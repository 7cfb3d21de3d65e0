/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A request as received (include/kubesvc/protocol.h), checked and parsed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/error.h"
#include <kubesvc/inspect.h>
#include <kubesvc/protocol.h>

#define REQUEST_FRAME_MAX (sizeof(struct kubesvc_header) + KUBESVC_REQUEST_MAX)

enum request_kind {
    REQUEST_UNSUPPORTED, /* well-formed, but of an unknown version, type or family */
    REQUEST_NAME,
    REQUEST_ADDRESS,
    REQUEST_MAP,
    REQUEST_INSPECT, /* of the command line: include/kubesvc/inspect.h */
};

struct request {
    enum request_kind kind;
    bool keep; /* the connection stays open after the answer */
    enum kubesvc_family family;
    uint32_t room;
    uint8_t namespace_length, name_length;
    char ns[KUBESVC_NAMESPACE_MAX];  /* lower case */
    char name[KUBESVC_NAME_MAX + 1]; /* as typed, any bytes */
    uint8_t address[16];
    uint16_t words_size;
    char words[KUBESVC_REQUEST_MAX]; /* of INSPECT, not checked */
};

enum { REQUEST_INCOMPLETE = 1, REQUEST_BAD };

/* Parses the first frame of `size` bytes. 0: `request` is set and it took `*usedp` bytes.
 * REQUEST_INCOMPLETE: more bytes are needed. REQUEST_BAD: close the connection. */
MUST_USE int request_parse(struct request *request, const uint8_t *data, size_t size,
                           size_t *usedp);
