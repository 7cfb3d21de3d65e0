/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One JSON value -> the composer's events, with yajl. It is a document.
 */
#pragma once

#include "composer.h"
#include "documents.h"

/* Reads one value, with `documents` at its opening brace. READER_DONE: `documents` is after it.
 * READER_BAD: invalid as YAML too. READER_NOT_JSON. */
MUST_USE int json_reader_run(struct documents *documents, struct composer *composer);
