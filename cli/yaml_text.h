/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * YAML for output, of what came as JSON.
 */
#pragma once

#include <glib.h>
#include <yajl/yajl_tree.h>

/* Appends the value as lines in block style, without document markers. */
void yaml_text_append(GString *out, yajl_val value);
