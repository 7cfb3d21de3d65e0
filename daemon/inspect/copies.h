/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copies of clusters that kubesvc-cluster keeps in the directories of manifests, and how fresh
 * each is by its .status.json.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

#include "daemon/source/loader_status.h"

struct copy {
    char *directory;
    yajl_val status;                                /* private: what the following texts are in */
    const char *cluster, *server, *state, *problem; /* as the file says; NULL: it does not */
    const char *since, *contact;                    /* RFC 3339, likewise */
    uint64_t age; /* seconds since `contact`; 0 while it is in sync, or was never in contact */
    uint64_t services, slices;
    bool running; /* a process keeps it fresh */
    bool fresh;   /* it does, and is in sync */
};

/* Is the file at `path` part of a copy? Looks at a file. */
bool copies_is_part(const char *path);

/* All of them (struct copy), to be freed with g_array_unref. Reads files, so not on the server
 * thread. */
GArray *copies_list(const struct loader *loader);
