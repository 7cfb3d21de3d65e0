/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The documents of a file, one after the other, so that each can have its own parser. A line that
 * begins with "---" or "..." ends one, in JSON as in YAML, as it does for kubectl.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "input.h"
#include "tree.h"

struct documents {
    struct input *input;
    char *bytes;              /* owned */
    size_t size;              /* allocated */
    size_t start, end;        /* what waits in `bytes` */
    size_t limit;             /* start <= limit <= end: up to here it is of this document */
    bool separated;           /* the document ends at `limit` */
    bool directives;          /* the next "---" begins the document rather than ends it */
    bool line_start;          /* bytes[start] begins a line */
    struct position position; /* of bytes[start] */
    struct position base;     /* where the document begins, and the mark is */
    bool marked;
    size_t mark;
};

void documents_init(struct documents *documents, struct input *input);
void documents_clear(struct documents *documents);

enum document_start {
    DOCUMENT_NONE,  /* the file ends */
    DOCUMENT_BRACE, /* its first character is '{', and the next to be taken */
    DOCUMENT_OTHER, /* it begins at the start of a line, or behind a JSON value */
};

/* On to what comes next: separators, blank lines and comments are passed over. */
enum document_start documents_next(struct documents *documents);

/* How many bytes of the document wait at bytes[start]; reads more if none do. 0 at its end, the
 * end of the file and after an error. */
MUST_USE size_t documents_fill(struct documents *documents);

/* That many of them are read. */
void documents_take(struct documents *documents, size_t size);

/* What is taken from here on, where a document begins, is kept as long as it is not too much. */
#define DOCUMENTS_KEPT_MAX (16u << 20) /* bytes */
void documents_mark(struct documents *documents);
void documents_unmark(struct documents *documents);

/* Back to that many characters behind the mark. False: too much was taken since, or there is none.
 */
bool documents_rewind(struct documents *documents, size_t characters);
