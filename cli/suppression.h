/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Comments in a manifest that a check obeys: "# kubesvc-ignore: RULE[,RULE...]" behind something is
 * about that line, on a line of its own about the next one, and before the first line of a document
 * about that document. The bytes of the file are looked at as they pass by, because a parser keeps
 * no comments.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct suppression { /* one rule in one place */
    char *rule;
    unsigned from, to; /* lines, from 1; `from` is the comment's */
};

struct suppressions {
    GArray *items;  /* struct suppression */
    GString *text;  /* the line at hand, as far as it is kept */
    unsigned line;  /* its number */
    guint document; /* the first of the items that are in the document at hand */
    bool begun;     /* there was something in it */
};

struct suppressions *suppressions_new(void);
struct suppressions *suppressions_free(struct suppressions *suppressions); /* returns NULL */

/* The next bytes of the file; none: its end. */
void suppressions_read(struct suppressions *suppressions, const char *bytes, size_t size);

/* Is a finding of this rule in this line not to be shown? */
bool suppressions_cover(const struct suppressions *suppressions, const char *rule, unsigned line);
