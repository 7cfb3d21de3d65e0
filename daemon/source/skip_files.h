/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * k3s does not deploy a manifest NAME if there is a file or directory NAME.skip, whatever is in it,
 * anywhere below the same configured directory.
 */
#pragma once

#include "queue.h"

/* Is there one for this entry, in a root that heeds them? */
bool skip_files_have(const struct entry *entry);

/* This name came to the root or went; NULL: any names did. */
void skip_files_changed(const struct root *root, const char *name);

/* After that, if queue->skips_due: finds out which there are, and marks the manifests concerned. */
void skip_files_settle(struct queue *queue);
