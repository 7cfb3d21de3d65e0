/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The variables of a container: its env and envFrom, as kubelet evaluates them.
 */
#pragma once

#include <glib.h>

#include "pod_manifest.h"

/* The downward API's data about a pod. */
struct pod_facts {
    const char *ns, *name;
    const char *addresses;      /* separated by commas */
    const char *node_name;      /* of this host */
    const char *node_addresses; /* separated by commas */
    const char *workload;       /* that it is of, as "StatefulSet/db"; NULL: of none */
};

/* Adds the ConfigMaps and Secrets that the container refers to, as "Secret/db". */
void container_variables_needs(struct pod_manifest *manifest, const struct yaml_node *container,
                               GHashTable *wanted);

/* Adds the container's variables (name -> value, both g_malloc'ed) to `variables`. `services` are
 * those of Services, which $(NAME) also finds. What cannot be had is left out, which the manifest's
 * diagnostics say. */
void container_variables_add(struct pod_manifest *manifest, const struct yaml_node *container,
                             const struct pod_facts *facts, GHashTable *services,
                             GHashTable *variables);
