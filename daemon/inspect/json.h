/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines of JSON: one object a line. Texts that are NULL are left out with their key.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/model/object.h"
#include "lib/util/address.h"

struct json;

/* `print` receives the text in pieces. */
struct json *json_new(void (*print)(void *userdata, const char *text, size_t size), void *userdata);
struct json *json_free(struct json *json); /* returns NULL */

/* `key` is NULL for an element of a list and for the object that is the line. */
void json_open(struct json *json, const char *key);
void json_close(struct json *json);
void json_open_list(struct json *json, const char *key);
void json_close_list(struct json *json);
void json_text(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, uint64_t number);
void json_bool(struct json *json, const char *key, bool value);

/* The line is whole: all that was opened is closed. */
void json_end_line(struct json *json);

/* What reports have in common. */
void json_address(struct json *json, const char *key, const struct address *address);
/* `n` addresses of 4 or 16 bytes each; left out if there are none. */
void json_addresses(struct json *json, const char *key, const uint8_t *addresses, uint32_t n,
                    size_t size);
/* "10.96.0.0/16" and the like (struct address_range). */
void json_ranges(struct json *json, const char *key, const GArray *ranges);
void json_labels(struct json *json, const char *key, const struct labels *labels);
void json_ports(struct json *json, const char *key, const struct ports *ports);
void json_time(struct json *json, const char *key,
               uint64_t realtime); /* microseconds; 0: left out */

/* {"file","line","column"}, or only these three keys in the object that is open. */
void json_position(struct json *json, const char *key, const struct object *object);
void json_place(struct json *json, const struct object *object);

/* "shadowed": the positions of other definitions of the object. */
void json_shadowed(struct json *json, const struct object *object);
