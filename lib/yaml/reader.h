/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a file of YAML and JSON documents into a composer. Which of the two a document is, is
 * decided for each by itself and as kubectl does it: what begins with a brace is read as JSON, and
 * as YAML if it turns out to be none.
 */
#pragma once

#include "composer.h"
#include "input.h"

/* Results of reading a document, and of all. */
enum {
    READER_DONE = 0,
    READER_BAD = 2,  /* the last diagnostic says where and why */
    READER_NOT_JSON, /* so does it here, but it may be YAML; of json_reader_run only */
};

/* Reads to the end of the file. READER_DONE or READER_BAD; the caller looks at input->error and
 * too_large first. */
MUST_USE int reader_run(struct input *input, struct composer *composer);
