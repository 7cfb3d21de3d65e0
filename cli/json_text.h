/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON for output: harmless on a terminal.
 */
#pragma once

#include <glib.h>
#include <stdio.h>
#include <yajl/yajl_tree.h>

#include "lib/util/json.h"

/* JSON that is written to a file as it is generated; see json_new. */
struct json *json_text_new(FILE *file, bool indented);

/* For json_new, instead of json_to_string: appends to a GString what is harmless. */
void json_text_to_string(void *string, const char *text, size_t size);

/* A parsed value with all that is in it. */
void json_value(struct json *json, const char *key, yajl_val value);

/* The members of an object, into the one that is open. */
void json_members(struct json *json, yajl_val object);

/* A list of items as kubectl prints it, around the items: {"items":[...],"kind":"List"}. */
void json_open_items(struct json *json);
void json_close_items(struct json *json);

/* The whole list, of items that are JSON already (char *); frees `json`. */
void json_write_items(struct json *json, const GPtrArray *items);

/* Appends the value; its further lines begin with `indent` levels of four blanks. No newline at the
 * end. */
void json_text_append(GString *out, yajl_val value, unsigned indent);

/* Appends the value on one line. */
void json_text_append_line(GString *out, yajl_val value);
