/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One JSON value -> the composer's events, with yajl. It is a document.
 */
#pragma once

#include "composer.h"
#include "documents.h"

/* Reads one value, of which `documents` stand at the opening brace. READER_DONE: they stand behind
 * it. READER_BAD: what is wrong would be wrong in YAML too. READER_NOT_JSON. */
MUST_USE int json_reader_run(struct documents *documents, struct composer *composer);
