/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading the keys of the configuration's mappings: known ones only, with values that are checked.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/yaml/fields.h"

/* Checks a text and copies it; returns what is wrong with it, as the end of a sentence, or NULL. */
typedef const char *(*config_parse)(const char *text, char **valuep);

/* Are all keys of the map known, and there once? `known` ends with NULL. */
bool config_check_keys(struct fields *fields, const struct node *map, const char *const known[]);

/* The value of a node that `key` leads to, to be freed with g_free; NULL if it is wrong. */
char *config_read_value(struct fields *fields, const struct node *node, const char *key,
                        config_parse parse);

/* Sets what the key says, if it is there and right. */
void config_replace_text(struct fields *fields, const struct node *map, const char *key,
                         config_parse parse, char **textp);

/* A list of texts; NULL if the key is absent. */
GPtrArray *config_read_texts(struct fields *fields, const struct node *map, const char *key,
                             config_parse parse);

/* The same as a vector that ends with NULL, in place of the one that is there. */
void config_replace_strv(struct fields *fields, const struct node *map, const char *key,
                         config_parse parse, char ***strvp);
