/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a check has found: diagnostics with the files they are about, in the order of a reader's
 * eyes, as text or as JSON.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/model/object.h"
#include "lib/util/diagnostic.h"
#include "lib/yaml/tree.h"
#include "suppression.h"

struct findings;

struct findings *findings_new(void);
struct findings *findings_free(struct findings *findings); /* returns NULL */

/* What the comments of a file suppress; taken over. Before anything of that file is added. */
void findings_suppress(struct findings *findings, const char *path,
                       struct suppressions *suppressions);

/* How many findings such comments kept back. */
unsigned findings_suppressed(const struct findings *findings);

/* Findings of this rule are dropped from now on. */
void findings_ignore(struct findings *findings, const char *rule);

/* Takes the diagnostic over. */
void findings_take(struct findings *findings, const char *path, struct diagnostic *diagnostic);

/* About a position in an object's file; line 0 means the object's own. */
void findings_add(struct findings *findings, enum diagnostic_severity severity, const char *rule,
                  const struct object *object, struct position position, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* To be called before they are printed. */
void findings_sort(struct findings *findings);

unsigned findings_count(const struct findings *findings, enum diagnostic_severity severity);

/* "file:line:column: severity: object: message [rule]", one a line. */
void findings_print(const struct findings *findings);

/* Appends a list of {"file","line","column","severity","object","message","rule"}, one a line; what
 * is not known is left out. */
void findings_append_json(const struct findings *findings, GString *out);
