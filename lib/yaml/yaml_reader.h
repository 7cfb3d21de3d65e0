/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A YAML document -> the composer's events, with libyaml.
 */
#pragma once

#include "composer.h"
#include "documents.h"

/* Reads to the end of the document. A marked one is in braces, and what follows them is left for
 * the next document. READER_DONE or READER_BAD. */
MUST_USE int yaml_reader_run(struct documents *documents, struct composer *composer);
