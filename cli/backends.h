/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lines of the verb `backends` (include/kubesvc/inspect.h), into a ruleset.
 */
#pragma once

#include <glib.h>

#include "lib/forward/ruleset.h"

enum backends_line {
    BACKENDS_MORE, /* it was taken; more comes that belongs to it */
    BACKENDS_END,  /* all that belongs together has come */
    BACKENDS_BAD,  /* malformed; it was skipped */
};

/* Takes one line. `ranges` (struct address_range) are the ranges of cluster IPs. */
enum backends_line backends_take(const char *line, struct ruleset *ruleset, GArray *ranges);
