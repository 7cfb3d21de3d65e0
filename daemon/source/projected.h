/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volumes as Kubernetes projects ConfigMaps and Secrets into a directory: every file is a link to
 * ..data/<file>, and ..data is a link to a directory that is swapped at once. All files change with
 * it, so they are read as one set.
 */
#pragma once

#include <stdbool.h>

#include "entry.h"

#define PROJECTED_DATA "..data"

/* Remembers which set the directory's files belong to in the following scan. */
void projected_note(struct directory *directory);

/* Is it still that set? True if there is no ..data. */
bool projected_is_current(const struct directory *directory);

/* Does the directory show all manifests of a new set, and no others through ..data? While a volume
 * is being changed the links of new files are missing for a moment and those of old ones lead
 * nowhere. */
bool projected_is_complete(const struct directory *directory);
