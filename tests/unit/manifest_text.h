/*
 * Manifests given as text, read by the real reader.
 */
#pragma once

#include <glib.h>

#include "../../daemon/diagnostic.h"
#include "../../daemon/model/object.h"
#include "../../daemon/source/manifest.h"

struct manifest_text {
    int result;
    GPtrArray *objects, *diagnostics;
    unsigned steps;
};

/* Reads all of it, in pieces of at most `piece` bytes; 0: as large as they are asked for. */
struct manifest_text manifest_text_read(const char *text, size_t length, size_t piece,
                                        uint64_t budget);
void manifest_text_free(struct manifest_text *manifest);

/* A NUL-terminated text; the test fails unless it is read to its end. */
struct manifest_text manifest_text_good(const char *text);

/* The test fails unless there is an object of that description. */
struct object *manifest_text_find(const struct manifest_text *manifest, const char *description);

/* Does a diagnostic have this rule? */
const struct diagnostic *manifest_text_rule(const struct manifest_text *manifest, const char *rule);
