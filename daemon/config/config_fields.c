/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An unknown or duplicate key is reported, because the daemon would otherwise do something else
 * than intended.
 */
#include "config_fields.h"

#include <string.h>

#include "config_values.h"

bool config_check_keys(struct fields *fields, const struct yaml_node *map,
                       const char *const known[])
{
    bool good = true;
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (const struct yaml_node *child = map->first; child; child = child->next) {
        bool is_known = g_strv_contains(known, child->key);

        if (is_known && g_hash_table_add(seen, (gpointer)(uintptr_t)child->key))
            continue;
        good = false;
        if (is_known) {
            fields_error(fields, child->key_position, "repeated-key", "duplicate key \"%s\"",
                         child->key);
            continue;
        }
        g_autofree char *suggestion = config_suggest(child->key, known);
        fields_error(fields, child->key_position, "unknown-key", "unknown key \"%.64s\"%s",
                     child->key, suggestion);
    }
    return good;
}

char *config_read_value(struct fields *fields, const struct yaml_node *node, const char *key,
                        config_parse parse)
{
    const char *text = fields_text(fields, node, key), *wrong;
    char *value = NULL;

    if (!text)
        return NULL;
    wrong = parse(text, &value);
    if (wrong)
        fields_error(fields, node->position, "bad-value", "%s %s", key, wrong);
    return value;
}

void config_replace_text(struct fields *fields, const struct yaml_node *map, const char *key,
                         config_parse parse, char **textp)
{
    const struct yaml_node *node = fields_get(fields, map, key);
    char *value = node ? config_read_value(fields, node, key, parse) : NULL;

    if (!value)
        return;
    g_free(*textp);
    *textp = value;
}

GPtrArray *config_read_texts(struct fields *fields, const struct yaml_node *map, const char *key,
                             config_parse parse)
{
    const struct yaml_node *list = fields_list(fields, map, key);

    if (!list)
        return NULL;
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        char *value = config_read_value(fields, node, key, parse);

        if (value)
            g_ptr_array_add(texts, value);
    }
    return texts;
}

int config_read_word(struct fields *fields, const struct yaml_node *map, const char *key,
                     const char *const words[])
{
    const char *text = fields_string(fields, map, key);
    g_autoptr(GString) all = g_string_new(NULL);

    for (int i = 0; text && words[i]; i++) {
        if (strcmp(words[i], text) == 0)
            return i;
        g_string_append_printf(all, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
    }
    if (text)
        fields_error(fields, yaml_node_get(map, key)->position, "bad-value", "%s must be %s", key,
                     all->str);
    return -1;
}

void config_replace_strv(struct fields *fields, const struct yaml_node *map, const char *key,
                         config_parse parse, char ***strvp)
{
    GPtrArray *texts = config_read_texts(fields, map, key, parse);

    if (!texts)
        return;
    g_ptr_array_add(texts, NULL);
    g_strfreev(*strvp);
    *strvp = (char **)g_ptr_array_free(texts, FALSE);
}
