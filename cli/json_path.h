/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubectl's JSONPath, as far as commonly used: texts, paths in braces, {range PATH}...{end}. Fields
 * that kubectl has under metadata, spec and status are at the top here; a path may use either form.
 */
#pragma once

#include <glib.h>
#include <yajl/yajl_tree.h>

/* What the path leads to (yajl_val, in their order, not ours), such as ".items[*].metadata.name";
 * NULL if it is not a path. */
GPtrArray *json_path_find(yajl_val root, const char *path);

/* Those as texts with a separator between them; NULL if it is no path, "" if it leads to nothing.
 */
char *json_path_text(yajl_val root, const char *path, const char *separator);

/* The template filled in, harmless on a terminal but for its own texts; NULL if something is wrong
 * with it, and *wrong is where. */
char *json_path_render(yajl_val root, const char *template, const char **wrong);
