/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * k3s does not deploy a manifest NAME if there is a file NAME.skip, whatever is in that.
 */
#pragma once

#include "entry.h"

/* Is there one for this entry, in a root that heeds them? Known once its directory was listed. */
bool skip_file_exists(const struct entry *entry);

/* A name in the directory that is no manifest's came or went: if it is such a file, the manifest it
 * is about will be examined. */
void skip_file_changed(struct entry *directory, const char *name);
