/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rows of one kind as `kubesvc get` shows them: read from the daemon, filtered by name and
 * label, rendered at once, so that 160,000 of them take only the memory of their text.
 */
#pragma once

#include "arguments.h"
#include "kinds.h"
#include "selector.h"

struct row {
    char *kind, *ns, *name; /* namespace: "" if it has none */
    char **cells;           /* of a table; of another format one: the text */
};

struct listing {
    const struct kind *kind;
    enum format format;
    bool with_namespace;             /* a column for it */
    bool with_kind;                  /* names are "service/web" */
    bool on_one_line;                /* JSON: not indented */
    unsigned indent;                 /* JSON: of further lines */
    const struct selector *selector; /* NULL: all */
    char **columns;                  /* FORMAT_COLUMNS: headings and paths by turns; NULL: none */
    char **label_columns;            /* labels with a column each; NULL: none */
    bool show_labels;                /* a column of all labels */
    char *(*text)(yajl_val item);    /* what a row consists of; NULL: what `format` says */
    GPtrArray *names;                /* char *, not ours; empty: all */
    GHashTable *missing; /* name -> struct suggestion *: those of `names` that were not found */
    GPtrArray *rows;     /* struct row * */
};

/* An empty one; the rest of its members are the caller's to set. */
struct listing *listing_new(const struct kind *kind);
struct listing *listing_free(struct listing *listing); /* returns NULL */

/* Reads the rows again, in order of namespace and name. An exit status; FAILED after an error
 * message. */
int listing_read(struct listing *listing, const struct arguments *arguments, const char *ns);

/* Adds the texts of its rows (char *, not ours), of another format than a table. */
void listing_texts(const struct listing *listing, GPtrArray *texts);

/* The headings of its table, separated by '|'; free with g_free. */
char *listing_headings(const struct listing *listing);

/* Says on stderr which names were not found; false if there are any. */
bool listing_complain(const struct listing *listing, const char *ns, bool json);
