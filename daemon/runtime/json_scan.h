/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON as events, for thousands of small files of which little is wanted. What yajl accepts and is
 * UTF-8 is accepted (a test compares the two), but plain text is examined by the word, and nothing
 * is kept or allocated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define JSON_ESCAPED_MAX 512u /* bytes */

/* `begin` and `end` are of an object or a list; if `begin` returns false, the rest is not read. Of
 * a text that has escapes and is longer than JSON_ESCAPED_MAX without them, nothing is passed. */
struct json_events {
    void (*text)(void *userdata, const char *text, size_t length);
    void (*key)(void *userdata, const char *text, size_t length);
    void (*number)(void *userdata);
    bool (*begin)(void *userdata);
    void (*end)(void *userdata);
};

/* Is the text one value, and was all of it read? */
bool json_scan(const char *text, size_t length, const struct json_events *events, void *userdata);
