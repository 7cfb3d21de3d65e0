/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The temporary directory of a private daemon: in XDG_RUNTIME_DIR or /tmp, only for this user, and
 * locked while it is in use, so that one that a killed process has left can be told and removed.
 */
#pragma once

/* Removes those that were left, and makes another. `*pathp` (g_free) is what is made, set on
 * failure as well; it is in use while any process has `*fdp` open. 0 or negative errno; then
 * nothing remains. */
int private_directory_make(char **pathp, int *fdp);

/* With all that is in it. */
void private_directory_remove(const char *path);
