/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The key `sources` of the configuration: container runtimes, each a plain word or a mapping.
 */
#pragma once

#include "config.h"
#include "lib/yaml/fields.h"

/* "podman", "cni", ... */
const char *config_runtime_name(enum config_runtime runtime);

/* Replaces the list if the key is present. */
void config_sources_read(struct config *config, struct fields *fields,
                         const struct yaml_node *root);

void config_source_free(gpointer userdata);
