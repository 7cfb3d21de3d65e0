/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a file of YAML and JSON documents into a composer. The language is decided for each
 * document separately, as in kubectl: what begins with a brace is read as JSON, and as YAML if that
 * fails.
 */
#pragma once

#include "composer.h"
#include "input.h"

/* Results of reading a document or a whole file. */
enum {
    READER_DONE = 0,
    READER_BAD = 2,     /* the last diagnostic says where and why */
    READER_NOT_JSON,    /* the same, but it may be YAML; json_reader_run only */
    READER_OTHER_STYLE, /* nothing was read yet: it takes yaml_reader_run; block_reader_run only */
};

/* Reads to the end of the file. READER_DONE or READER_BAD; the caller checks input->error and
 * too_large first. */
MUST_USE int reader_run(struct input *input, struct composer *composer);
