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
#include "lib/util/json.h"
#include "lib/yaml/tree.h"
#include "suppression.h"

struct check_report;

struct check_report *check_report_new(void);
struct check_report *check_report_free(struct check_report *report); /* returns NULL */

/* What the comments of a file suppress; taken over. Before anything of that file is added. */
void check_report_suppress(struct check_report *report, const char *path,
                           struct suppressions *suppressions);

/* How many findings such comments kept back. */
unsigned check_report_suppressed(const struct check_report *report);

/* Findings of this rule are dropped from now on. */
void check_report_ignore(struct check_report *report, const char *rule);

/* Takes the diagnostic over. */
void check_report_take(struct check_report *report, const char *path,
                       struct diagnostic *diagnostic);

/* About a position in an object's file; line 0 means the object's own. */
void check_report_add(struct check_report *report, enum diagnostic_severity severity,
                      const char *rule, const struct object *object, struct position position,
                      const char *format, ...) __attribute__((format(printf, 6, 7)));

unsigned check_report_count(const struct check_report *report, enum diagnostic_severity severity);

/* "file:line:column: severity: object: message [rule]", one a line, in order. */
void check_report_print(struct check_report *report);

/* Writes in order the list "findings" of
 * {"file","line","column","severity","object","message","rule"}; what is not known is left out. */
void check_report_write(struct check_report *report, struct json *json);
