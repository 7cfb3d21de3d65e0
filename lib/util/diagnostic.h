/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A problem with a manifest or the configuration: where, which object, what is wrong and what
 * happens now. Texts quote known fields of recognised objects only, never other content (a file may
 * hold a Secret).
 */
#pragma once

#include <glib.h>

enum diagnostic_severity { DIAGNOSTIC_ERROR, DIAGNOSTIC_WARNING };

struct diagnostic {
    enum diagnostic_severity severity;
    char *path;            /* if it is not the file that the holder knows, else NULL */
    unsigned line, column; /* from 1; 0: the file as a whole */
    char *object;          /* "Service moon/regular-svc", or NULL */
    char *message;         /* what is wrong; what happens now */
    const char *rule;      /* static: a short stable word, such as "invalid-name" */
};

struct diagnostic *diagnostic_new(enum diagnostic_severity severity, unsigned line, unsigned column,
                                  const char *rule, const char *object, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
void diagnostic_free(struct diagnostic *diagnostic);

/* "path:line:column: error: Service moon/x: message [rule]", with `path` unless the diagnostic has
 * one itself; free with g_free. */
char *diagnostic_format(const struct diagnostic *diagnostic, const char *path);

/* Are the two the same complaint (and so logged once)? */
gboolean diagnostic_equal(const struct diagnostic *a, const struct diagnostic *b);
