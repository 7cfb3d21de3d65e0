/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text of others made harmless: what comes from a manifest, a path or a peer must not forge a line
 * of a log, nor change what a terminal shows.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Must this character not be shown as it is? Controls, and what is not seen but changes what is:
 * directions of writing, line and paragraph separators. */
bool escape_is_harmful(gunichar c);

/* Appends valid UTF-8: the bytes of harmful characters, and those that are no UTF-8, as \xNN. It
 * ends with the last character that leaves `out` no longer than `size_max`. */
void escape_append(GString *out, const char *text, size_t size_max);
