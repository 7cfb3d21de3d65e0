/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `kubesvc get` can list: kubectl's names for it, the request to the daemon, the columns.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <yajl/yajl_tree.h>

struct kind {
    const char *name;        /* "Service" */
    const char *plural;      /* "services" */
    const char *short_names; /* "svc", separated by blanks */
    const char *verb;        /* of inspect.h; NULL: it cannot be listed */
    const char *only;        /* the items' "kind" that count; NULL: all */
    bool namespaced;         /* has "namespace": -A shows it */
    bool labelled;           /* has "labels": -l chooses by them */
    const char *headings;
    const char *wide; /* further headings of -o wide, beginning with '|' */
    /* Adds a cell (char *, NULL for "<none>") for each heading but the first, the name. */
    void (*cells)(GPtrArray *cells, yajl_val item, bool wide);
};

/* The kind with this kubectl name, NULL if there is none; *nearestp is then a suggestion, NULL or
 * to be freed with g_free. */
const struct kind *kind_find(const char *word, char **nearestp);

/* Why there is no such kind here: a sentence, and in *remedyp what to do, given the suggestion of
 * kind_find; both to be freed with g_free. */
char *kind_complaint(const char *word, const char *nearest, char **remedyp);

/* "service/web", as -o name has it; of names: the name. To be freed with g_free. */
char *kind_name(const struct kind *kind, yajl_val item);

/* All kinds that there are, for messages. */
#define KIND_WORDS "services, endpoints, pods, workloads, namespaces, names"
