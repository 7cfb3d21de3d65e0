/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Manifests given as text, read by the real reader.
 */
#pragma once

#include <glib.h>

#include "lib/manifest/manifest.h"
#include "lib/model/object.h"
#include "lib/util/diagnostic.h"

struct manifest_text {
    int result;
    GPtrArray *objects, *diagnostics;
};

/* Reads all of it, in pieces of at most `piece` bytes; 0: as large as requested. */
struct manifest_text manifest_text_read(const char *bytes, size_t length, size_t piece);
struct manifest_text manifest_text_all(const char *text, size_t length);
void manifest_text_free(struct manifest_text *manifest);

/* A NUL-terminated text; the test fails unless it is read to its end. */
struct manifest_text manifest_text_good(const char *text);

/* The test fails unless there is an object of that description. */
struct object *manifest_text_find(const struct manifest_text *manifest, const char *description);

/* Does a diagnostic have this rule? */
const struct diagnostic *manifest_text_rule(const struct manifest_text *manifest, const char *rule);

/* The only object of a text, which must be good, without a word about it. */
struct object *manifest_text_only(struct manifest_text *manifest, const char *text);

/* The same of an object that is whole, though the API refuses it for what is missing in it. */
struct object *manifest_text_usable(struct manifest_text *manifest, const char *text);

/* The text is good and has these objects: "Service a/b@LINE:COLUMN, ...". */
void manifest_text_assert_objects(const char *text, const char *expected);

/* The text is bad, for this reason, there; line 0: anywhere. */
void manifest_text_assert_bad(const char *text, size_t length, const char *rule, unsigned line,
                              unsigned column);

/* Addresses with spaces between them; ports as "name/protocol number target, ...". */
void manifest_text_assert_addresses(const struct addresses *addresses, const char *expected);
void manifest_text_assert_ports(const struct ports *ports, const char *expected);
