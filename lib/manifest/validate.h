/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the Kubernetes API rejects beyond single fields: combinations of fields. A rejected object
 * still counts as far as it can be read, but never before an accepted one of the same identity.
 */
#pragma once

#include "decode.h"

/* The rules of each kind. `object` is what was read from the tree; `fields` tells whether its
 * fields were good. */
void validate_service(struct fields *fields, const struct yaml_node *root,
                      const struct object *object);
void validate_slice(struct fields *fields, const struct yaml_node *root,
                    const struct object *object);
void validate_endpoints(struct fields *fields, const struct yaml_node *root,
                        const struct object *object);
void validate_pod(struct fields *fields, const struct yaml_node *root, const struct object *object);
void validate_workload(struct fields *fields, const struct yaml_node *root,
                       const struct object *object);

/* Where a node is; if it is absent (NULL), where the other one is. */
struct position validate_position(const struct yaml_node *node, const struct yaml_node *otherwise);

/* A set of texts chosen by manifests. */
GHashTable *validate_texts(void);

/* Checks the keys and values of a mapping of labels; reports the first invalid one. */
void validate_labels(struct fields *fields, const struct yaml_node *map, const char *what);

/* Names of a list of ports: which are required, their form, and no duplicates. */
enum port_names {
    PORT_NAMES_LABELS, /* DNS labels; all must have one if there are several */
    PORT_NAMES_OF_SLICE /* DNS labels or ""; no duplicates */,
    PORT_NAMES_SHORT /* of a container: at most 15 of [a-z0-9-] with a letter among them */
};
void validate_port_names(struct fields *fields, const struct yaml_node *ports,
                         enum port_names form);
