/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a small YAML or JSON file of one mapping: a configuration, a kubeconfig.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "fields.h"
#include "lib/util/error.h"

/* Takes what it needs out of the mapping, which is gone after it. What is wrong goes to `fields`.
 */
typedef void (*document_handler)(void *userdata, struct fields *fields,
                                 const struct yaml_node *map);

/* Reads at most `size_max` bytes and appends what is wrong (struct diagnostic *) to `diagnostics`;
 * NULL: it is logged. 0, -EINVAL (invalid content) or another negative errno from reading it. An
 * empty file gives no mapping and is not an error. */
MUST_USE int document_read(const char *path, uint64_t size_max, GPtrArray *diagnostics,
                           document_handler handler, void *userdata);
