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
    const char *namespace; /* for objects that name none */
    bool recursive;        /* directories below directories, too */
    GPtrArray *files;      /* struct collected_file *, in the order in which they were read */
    GHashTable *seen;      /* private: files that were read */
    unsigned rank;         /* private: place of the path among those given */
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
