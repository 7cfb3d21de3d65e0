/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The downward API: variables that describe a pod to itself.
 */
#pragma once

#include "container_variables.h"

/* The index of a pod of a Job that gives its pods one; NULL for other pods. It is a part of the
 * name. */
const char *downward_job_index(const struct pod_manifest *manifest, const struct pod_facts *facts);

/* The value of a fieldRef; NULL if there is no such field, which the manifest's diagnostics say. To
 * be freed with g_free. */
char *downward_field(struct pod_manifest *manifest, const struct yaml_node *reference,
                     const struct pod_facts *facts);

/* That of a resourceFieldRef in `container`. What is not limited is what the host has. */
char *downward_resource(struct pod_manifest *manifest, const struct yaml_node *reference,
                        const struct yaml_node *container);
