/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The directory in which the cluster lies as manifests: one file for each group of the store,
 * replaced by rename, and .status.json.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/util/error.h"
#include "store.h"

struct files;

#define FILES_STATUS ".status.json"

enum {
    FILES_BUSY = 1, /* another process writes there */
    FILES_FOREIGN,  /* it holds files that are not ours, and would be removed */
};

/* Creates the directory if it is missing, and locks it for the lifetime of `*filesp`. 0,
 * FILES_BUSY, FILES_FOREIGN or negative errno. */
MUST_USE int files_new(struct files **filesp, const char *directory);
struct files *files_free(struct files *files); /* returns NULL */

/* Did the directory hold a cluster when it was opened? */
bool files_had_content(const struct files *files);

/* Makes the file of a group hold that, or (NULL) removes it. 0 or negative errno. */
MUST_USE int files_replace(struct files *files, const char *group, const GString *text);

/* Does it hold exactly that? */
bool files_equal(const struct files *files, const char *group, const GString *text);

/* Removes what is not of the store: files of groups that it does not have, what a crash left, and
 * empty directories. NULL: everything but the status. */
MUST_USE int files_prune(struct files *files, const struct store *store);

/* .status.json */
MUST_USE int files_write_status(struct files *files, const GString *text);
MUST_USE int files_read_status(const struct files *files, GString *text); /* appends it */

/* Writes to the disk what was replaced since. */
void files_sync(struct files *files);
bool files_need_sync(const struct files *files);
