/*
 * YAML -> the composer's events, with libyaml.
 */
#pragma once

#include <stdint.h>

#include "composer.h"
#include "input.h"

struct yaml_reader;

struct yaml_reader *yaml_reader_new(struct input *input, struct composer *composer);
struct yaml_reader *yaml_reader_free(struct yaml_reader *reader); /* returns NULL */

/* Reads to the end. Returns MANIFEST_DONE or MANIFEST_BAD with a diagnostic; the caller looks at
 * input->error and too_large first. */
MUST_USE int yaml_reader_run(struct yaml_reader *reader);
