/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text for people: what comes from a manifest is escaped before it reaches a terminal; colours only
 * if wanted.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum text_style { STYLE_PLAIN, STYLE_BOLD, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_FAINT };

/* Harmful characters and broken UTF-8 as \xNN (lib/util/escape.h); free with g_free. NULL:
 * "<none>". */
char *text_clean(const char *text);

/* The text in a style if standard output is a terminal that shows colours, without an objection
 * (NO_COLOR, TERM=dumb), else as it is; free with g_free. */
char *text_styled(const char *text, enum text_style style);

/* Columns of the terminal on standard output, 0 if it is not a terminal. */
unsigned text_columns(void);

/* Width in columns of valid UTF-8, escape sequences of text_styled not counted. */
unsigned text_width(const char *text);

/* Printable ASCII and nothing else? */
bool text_is_plain(const char *text);

/* Order of names: bytewise, but numbers in them by their value. */
int text_compare(const char *a, const char *b);

/* A line of text on standard output, cleaned, behind `indent` blanks. */
void text_line(int indent, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "1 object", "2 objects"; free with g_free. */
char *text_plural(int64_t n, const char *what);

/* One sentence to stderr: "kubesvc: ..."; as {"error","remedy"} if JSON was asked for. `remedy` may
 * be NULL. */
void text_error(bool json, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
