/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes foreign text harmless: what comes from a manifest, a path or a peer must not forge a log
 * line, nor change what a terminal shows.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Must this character be escaped? Controls, and invisible characters that change others: writing
 * direction, line and paragraph separators. */
bool escape_is_harmful(gunichar c);

/* Appends valid UTF-8; the bytes of harmful characters, and of invalid UTF-8, as \xNN. Stops at the
 * last character that keeps `out` within `size_max`. */
void escape_append(GString *out, const char *text, size_t size_max);
