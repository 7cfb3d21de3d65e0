/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the keys of the configuration's mappings: known ones only, with checked values.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/yaml/fields.h"

/* Checks a text and copies it; returns what is wrong with it, as the end of a sentence, or NULL. */
typedef const char *(*config_parse)(const char *text, char **valuep);

/* Are all keys of the map known and unique? `known` ends with NULL. */
bool config_check_keys(struct fields *fields, const struct yaml_node *map,
                       const char *const known[]);

/* The value of the node under `key`, to be freed with g_free; NULL if it is invalid. */
char *config_read_value(struct fields *fields, const struct yaml_node *node, const char *key,
                        config_parse parse);

/* The index of the text under `key` among `words` (NULL-terminated); -1: there is none, or it is
 * another one, which is an error. */
int config_read_word(struct fields *fields, const struct yaml_node *map, const char *key,
                     const char *const words[]);

/* Sets the value if the key is present and valid. */
void config_replace_text(struct fields *fields, const struct yaml_node *map, const char *key,
                         config_parse parse, char **textp);

/* A list of texts; NULL if the key is absent. */
GPtrArray *config_read_texts(struct fields *fields, const struct yaml_node *map, const char *key,
                             config_parse parse);

/* The same as a NULL-terminated vector, replacing the previous one. */
void config_replace_strv(struct fields *fields, const struct yaml_node *map, const char *key,
                         config_parse parse, char ***strvp);
