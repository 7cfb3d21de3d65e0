/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading manifests as the daemon reads them, for what it does not keep: the same reader, the same
 * choice of names in a directory, the same order.
 */
#pragma once

#include <stdbool.h>

#include "lib/manifest/manifest.h"

/* Reads the file and shows its objects. MANIFEST_DONE, MANIFEST_BAD (what was seen does not count),
 * or negative errno. `namespace` is for objects that name none. */
MUST_USE int manifest_files_read(const char *path, const char *ns, manifest_look look,
                                 void *userdata);

/* The paths in a directory that the daemon would read or enter (char *), in order; free with
 * g_ptr_array_unref. *errorp: errno if it cannot be read, and there are none. */
GPtrArray *manifest_files_list(const char *path, int *errorp);

/* Calls `file` for a file, or for each manifest in a directory: of objects that are defined more
 * than once the later one wins. A directory that cannot be read has none. */
void manifest_files_walk(const char *path, bool recursive,
                         void (*file)(void *userdata, const char *path), void *userdata);
