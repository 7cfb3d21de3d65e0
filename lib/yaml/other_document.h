/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A document that is no mapping, and is therefore ignored: if it is a list, does an element look
 * like an object of Kubernetes, that is, has it apiVersion and kind? Follows the events of the
 * parser, so that nothing in such a document can be too large or invalid.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tree.h"

struct other_document {
    bool is_there;
    bool has_object;
    bool in_map;       /* in an element that is a mapping */
    bool expects_key;  /* in that */
    uint8_t key, seen; /* bits of the keys that are looked for */
    struct position position;
};

/* A mapping or a list begins; `depth`: in how many others it is. */
void other_document_begin(struct other_document *document, unsigned depth, bool is_map);

/* A scalar; or an alias, with NULL. Always true, as an event that is no error. */
bool other_document_scalar(struct other_document *document, unsigned depth, const char *text,
                           size_t length);
