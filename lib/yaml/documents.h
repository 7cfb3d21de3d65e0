/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The documents of a file, one after another, so that each can have its own parser. A line that
 * begins with "---" or "..." ends one, in JSON as in YAML, like in kubectl.
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
    size_t start, end;        /* unread bytes in `bytes` */
    size_t limit;             /* start <= limit <= end: up to here they belong to the document */
    bool separated;           /* the document ends at `limit` */
    bool directives;          /* the next "---" starts the document rather than ends it */
    bool line_start;          /* bytes[start] starts a line */
    struct position position; /* of bytes[start] */
    struct position base;     /* where the marked document starts */
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

/* Advances to the next document, past separators, blank lines and comments. */
enum document_start documents_next(struct documents *documents);

/* How many bytes of the document are available at bytes[start]; reads more if there are none. 0 at
 * its end, the end of the file and after an error. */
MUST_USE size_t documents_fill(struct documents *documents);

/* The size of the whole document, all of it at bytes[start]; 0 if it is larger than this. */
#define DOCUMENTS_WHOLE_MAX (256u << 10) /* bytes */
MUST_USE size_t documents_whole(struct documents *documents);

/* Consumes that many of them. */
void documents_take(struct documents *documents, size_t size);

/* Keeps what is consumed from here on, the start of a document, as long as it is not too much. */
#define DOCUMENTS_KEPT_MAX (16u << 20) /* bytes */
void documents_mark(struct documents *documents);
void documents_unmark(struct documents *documents);

/* Back to that many characters after the mark. False: too much was consumed since, or there is no
 * mark. */
bool documents_rewind(struct documents *documents, size_t characters);
