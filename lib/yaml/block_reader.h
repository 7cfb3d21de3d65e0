/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A YAML document in plain block style -> the composer's events, without libyaml.
 */
#pragma once

#include "composer.h"
#include "documents.h"

struct block_reader;

struct block_reader *block_reader_new(void);
struct block_reader *block_reader_free(struct block_reader *reader); /* returns NULL */

/* Reads to the end of the document, with the same result as yaml_reader_run: READER_DONE or
 * READER_BAD. READER_OTHER_STYLE: nothing was consumed or passed on. */
MUST_USE int block_reader_run(struct block_reader *reader, struct documents *documents,
                              struct composer *composer);
