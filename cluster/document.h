/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a small YAML or JSON file of one mapping: the configuration and the kubeconfig.
 */
#pragma once

#include <stdbool.h>

#include "lib/util/error.h"
#include "lib/yaml/fields.h"

#define DOCUMENT_SIZE_MAX (4u << 20) /* bytes */

/* Takes what it needs out of the mapping, which is gone after it. What is wrong goes to `fields`.
 */
typedef void (*document_handler)(void *userdata, struct fields *fields,
                                 const struct yaml_node *map);

/* Reads the file and logs what is wrong with it. 0, -EINVAL (invalid content) or another negative
 * errno from reading it. An empty file gives no tree and is not an error. */
MUST_USE int document_read(const char *path, document_handler handler, void *userdata);

/* Makes an unknown key of the map an error. */
void document_check_keys(struct fields *fields, const struct yaml_node *map,
                         const char *const known[]);

/* A copy of the text, or NULL. */
char *document_string(struct fields *fields, const struct yaml_node *map, const char *key);
