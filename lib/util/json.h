/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing JSON, by yajl's generator. Texts that are NULL are left out with their key; what is not
 * valid UTF-8 is replaced. A generator only fails when misused, so nothing here has an error path.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diagnostic;
struct json;

/* `print` receives the text in pieces, never within a character. `indented`: on several lines, with
 * four blanks for each level and a newline behind the whole. */
struct json *json_new(bool indented, void (*print)(void *userdata, const char *text, size_t size),
                      void *userdata);

/* For `print`: appends to a GString. */
void json_to_string(void *string, const char *text, size_t size);
struct json *json_free(struct json *json); /* returns NULL */

/* `key` is NULL for an element of a list and for the value that is the whole. */
void json_open(struct json *json, const char *key);
void json_close(struct json *json);
void json_open_list(struct json *json, const char *key);
void json_close_list(struct json *json);
void json_text(struct json *json, const char *key, const char *text);
void json_format(struct json *json, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void json_number(struct json *json, const char *key, uint64_t number);
void json_bool(struct json *json, const char *key, bool value);
void json_time(struct json *json, const char *key,
               uint64_t realtime); /* microseconds; 0: left out */

/* The keys of a finding in the file at `path`, in the object that is open. */
void json_diagnostic(struct json *json, const char *path, const struct diagnostic *diagnostic);

/* Text that is a JSON value already. */
void json_raw(struct json *json, const char *key, const char *text);

/* Closes the object that is the whole line, and ends the line. */
void json_close_line(struct json *json);
