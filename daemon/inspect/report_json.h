/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What reports have in common: addresses, ports, labels and positions as JSON.
 */
#pragma once

#include <glib.h>

#include "lib/model/object.h"
#include "lib/util/address.h"
#include "lib/util/json.h"

void json_address(struct json *json, const char *key, const struct address *address);
/* A list of struct address. */
void json_address_array(struct json *json, const char *key, const GArray *addresses);
/* `n` addresses of 4 or 16 bytes each; left out if there are none. */
void json_addresses(struct json *json, const char *key, const uint8_t *addresses, uint32_t n,
                    size_t size);
/* "10.96.0.0/16" and the like (struct address_range). */
void json_ranges(struct json *json, const char *key, const GArray *ranges);
/* A list of texts, NULL-terminated; NULL: left out. */
void json_texts(struct json *json, const char *key, char *const *texts);
/* The same of char *. */
void json_text_array(struct json *json, const char *key, const GPtrArray *texts);
void json_labels(struct json *json, const char *key, const struct labels *labels);
void json_protocol(struct json *json, uint8_t protocol); /* under the key of that name */
void json_ports(struct json *json, const char *key, const struct ports *ports);

/* {"file","line","column"}, or only these three keys in the object that is open. */
void json_position(struct json *json, const char *key, const struct object *object);
void json_place(struct json *json, const struct object *object);

/* "shadowed": the positions of other definitions of the object. */
void json_shadowed(struct json *json, const struct object *object);
