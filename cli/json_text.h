/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON for output: indented, and harmless on a terminal.
 */
#pragma once

#include <glib.h>
#include <yajl/yajl_tree.h>

/* Appends the value; its further lines begin with `indent` levels of four blanks. No newline at the
 * end. */
void json_text_append(GString *out, yajl_val value, unsigned indent);

/* Appends the value on one line. */
void json_text_append_line(GString *out, yajl_val value);

/* Appends a string in quotes. What must not reach a terminal is escaped. */
void json_text_append_string(GString *out, const char *text);
