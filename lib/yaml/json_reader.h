/*
 * JSON -> the composer's events, with yajl. Several values one after the other are several
 * documents.
 */
#pragma once

#include <stdint.h>

#include "composer.h"
#include "input.h"

struct json_reader;

struct json_reader *json_reader_new(struct input *input, struct composer *composer);
struct json_reader *json_reader_free(struct json_reader *reader); /* returns NULL */

/* As yaml_reader_run. */
MUST_USE int json_reader_run(struct json_reader *reader);
