/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of a pod's manifest beyond those that decide names, and the ConfigMaps and Secrets it
 * refers to. The daemon keeps none of these; this reads the files again, as the calling user.
 */
#pragma once

#include <glib.h>
#include <yajl/yajl_tree.h>

#include "lib/yaml/fields.h"

struct pod_manifest {
    struct tree *tree;
    char *path;
    GHashTable *data;                 /* "Secret/db" -> const struct yaml_node *, the object */
    struct fields fields;             /* what is wrong with it */
    const struct yaml_node *metadata; /* of the pod or of the template; NULL: none */
    const struct yaml_node *spec;     /* NULL: it could not be read */
    bool indexed;                     /* of a Job that gives its pods an index */
    unsigned unreadable;              /* files in which more data may be */
};

/* Reads the manifest of a pod (a line of the request `pods`), located with `config` (a line of that
 * request). If it cannot be read, that is reported, and `spec` is NULL. */
void pod_manifest_init(struct pod_manifest *manifest, yajl_val pod, yajl_val config);
void pod_manifest_clear(struct pod_manifest *manifest);

/* The container with that name; NULL: the one that kubectl would choose. NULL if there is none. */
const struct yaml_node *pod_manifest_container(struct pod_manifest *manifest, const char *name);

/* Fills `data` with those objects of a namespace that are keys of `wanted`, of the directories in
 * `config`; a later definition wins. */
void pod_manifest_read_data(struct pod_manifest *manifest, GHashTable *wanted, const char *ns,
                            yajl_val config);

/* The lines that the pod's hostAliases add to its hosts file; free with g_free. */
char *pod_manifest_aliases(struct pod_manifest *manifest);

/* Says what was found wrong, on stderr. */
void pod_manifest_complain(const struct pod_manifest *manifest);
