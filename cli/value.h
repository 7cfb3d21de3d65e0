/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading the daemon's lines of JSON (include/kubesvc/inspect.h): yajl's tree, with accessors for
 * values that may be absent.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

/* NULL if the line is not JSON; free with yajl_tree_free. */
yajl_val value_parse(const char *line);

/* Frees *valuep, for __attribute__((cleanup)). */
void value_release(yajl_val *valuep);
#define value_auto __attribute__((cleanup(value_release)))

/* A member of an object, NULL if there is none. */
yajl_val value_get(yajl_val object, const char *key);

/* The text of a member, NULL if it is absent or no string. */
const char *value_text(yajl_val object, const char *key);
const char *value_text_or(yajl_val object, const char *key, const char *otherwise);
bool value_is(yajl_val object, const char *key, const char *text); /* is it that text? */
int64_t value_number(yajl_val object, const char *key);            /* 0 if absent */
bool value_bool(yajl_val object, const char *key);                 /* false if absent */

/* Elements of a member that is a list: 0 and NULL if absent. */
size_t value_length(yajl_val object, const char *key);
yajl_val value_element(yajl_val object, const char *key, size_t index);
const char *value_element_text(yajl_val object, const char *key, size_t index);

/* A list of strings, or an object of strings as "k=v", joined; "" if empty; free with g_free. */
char *value_joined(yajl_val object, const char *key, const char *separator);

/* The addresses of a name (char *), IPv4 first; free with g_ptr_array_unref. */
GPtrArray *value_addresses(yajl_val object);

/* The element of the request `config`'s settings for a key, NULL if there is none. */
yajl_val value_setting(yajl_val config, const char *key);

/* "file:line:column" of a position that is a member, or of `place` itself; NULL if there is none;
 * free with g_free. */
char *value_position(yajl_val object, const char *key);
char *value_place(yajl_val place);
