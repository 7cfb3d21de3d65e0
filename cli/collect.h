/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files, directories and standard input -> the world that they describe, and what their reading
 * finds wrong.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "findings.h"
#include "world.h"

struct collection {
    struct world *world;
    struct findings *findings;
    const char *namespace;      /* for objects that name none */
    bool recursive;             /* directories below directories, too */
    bool skip_templates;        /* templates are not reported, and those of charts are not read */
    const char *const *ignored; /* patterns of ignore.h, NULL-terminated */
    GPtrArray *files;           /* struct collected_file *, in the order in which they were read */
    GHashTable *seen;           /* private: files that were read */
    GPtrArray *charts;          /* private: struct chart * */
    struct chart *chart;        /* private: what the directory at hand belongs to; NULL: nothing */
    const char *top;            /* private: the path among those given that is being read */
    unsigned rank;              /* private: its place among them */
};

struct collected_file {
    char *path;
    unsigned objects, services, pods, workloads;
};

void collection_init(struct collection *collection, struct findings *findings);
void collection_clear(struct collection *collection);

/* Reads a file, all manifests of a directory, or standard input ("-"). What cannot be read is a
 * finding. */
void collection_add(struct collection *collection, const char *path);

/* After the last of them: reports on charts as wholes. */
void collection_end(struct collection *collection);
