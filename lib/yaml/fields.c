/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fields. Messages name the field and what it must be, never its content: the file may contain
 * secrets, and the position leads there anyway.
 */
#include "fields.h"

#include <stdarg.h>
#include <string.h>

#include "composer.h"
#include "scalar.h"

static void add(struct fields *fields, enum diagnostic_severity severity, struct position position,
                const char *rule, const char *consequence, const char *format, va_list arguments)
{
    g_autofree char *message = NULL;

    if (fields->diagnostics->len > FIELDS_DIAGNOSTICS_MAX)
        return;
    if (fields->diagnostics->len == FIELDS_DIAGNOSTICS_MAX) {
        g_ptr_array_add(fields->diagnostics,
                        diagnostic_new(DIAGNOSTIC_WARNING, position.line, position.column,
                                       "too-many", NULL,
                                       "more problems in this file are not listed"));
        return;
    }
    message = g_strdup_vprintf(format, arguments);
    g_ptr_array_add(fields->diagnostics,
                    diagnostic_new(severity, position.line, position.column, rule, fields->object,
                                   "%s%s", message, consequence ? consequence : ""));
}

void fields_error(struct fields *fields, struct position position, const char *rule,
                  const char *format, ...)
{
    va_list arguments;

    fields->refused = true;
    if (!fields->part)
        fields->broken = true;
    va_start(arguments, format);
    add(fields, DIAGNOSTIC_ERROR, position, rule, fields->consequence, format, arguments);
    va_end(arguments);
}

void fields_refuse(struct fields *fields, struct position position, const char *rule,
                   const char *format, ...)
{
    va_list arguments;

    fields->refused = true;
    va_start(arguments, format);
    add(fields, DIAGNOSTIC_ERROR, position, rule, "; the API server rejects it", format, arguments);
    va_end(arguments);
}

void fields_warning(struct fields *fields, struct position position, const char *rule,
                    const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(fields, DIAGNOSTIC_WARNING, position, rule, NULL, format, arguments);
    va_end(arguments);
}

const struct yaml_node *fields_get(struct fields *fields, const struct yaml_node *map,
                                   const char *key)
{
    const struct yaml_node *found = NULL;

    for (const struct yaml_node *child = map ? map->first : NULL; child; child = child->next) {
        if (child->key[0] != key[0] || strcmp(child->key, key) != 0)
            continue;
        if (found && !found->merged)
            fields_warning(fields, child->key_position, "repeated-field",
                           "duplicate field %s; the last one counts", key);
        found = child;
    }
    return found && !scalar_is_null(found) ? found : NULL;
}

static const struct yaml_node *get_typed(struct fields *fields, const struct yaml_node *map,
                                         const char *key, enum yaml_node_type type,
                                         const char *what)
{
    const struct yaml_node *node = fields_get(fields, map, key);

    if (!node || node->type == type)
        return node;
    fields_error(fields, node->position, "wrong-type", "%s must be a %s", key, what);
    return NULL;
}

const struct yaml_node *fields_map(struct fields *fields, const struct yaml_node *map,
                                   const char *key)
{
    return get_typed(fields, map, key, YAML_NODE_MAP, "mapping");
}

const struct yaml_node *fields_list(struct fields *fields, const struct yaml_node *map,
                                    const char *key)
{
    return get_typed(fields, map, key, YAML_NODE_LIST, "list");
}

const struct yaml_node *fields_elements(struct fields *fields, const struct yaml_node *map,
                                        const char *key)
{
    return yaml_node_elements(fields_list(fields, map, key));
}

bool fields_is_string(const struct yaml_node *node)
{
    return node->type == YAML_NODE_SCALAR && scalar_is_text(node);
}

const char *fields_text(struct fields *fields, const struct yaml_node *node, const char *key)
{
    if (fields_is_string(node))
        return node->text;
    if (node->omitted)
        fields_error(fields, node->position, "too-long", "%s is longer than %u KiB", key,
                     COMPOSER_KEPT_MAX >> 10);
    else
        fields_error(fields, node->position, "wrong-type", "%s must be a string%s%s", key,
                     node->type == YAML_NODE_SCALAR && node->plain ? ": quote it" : "",
                     node->type == YAML_NODE_SCALAR && !node->plain ? " without NULs" : "");
    return NULL;
}

const char *fields_string(struct fields *fields, const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = fields_get(fields, map, key);
    const char *text = node ? fields_text(fields, node, key) : NULL;

    return text && *text ? text : NULL;
}

bool fields_bool(struct fields *fields, const struct yaml_node *map, const char *key, bool fallback)
{
    const struct yaml_node *node = get_typed(fields, map, key, YAML_NODE_SCALAR, "boolean");
    struct scalar scalar;

    if (!node)
        return fallback;
    scalar = scalar_read(node);
    if (scalar.type == SCALAR_BOOL)
        return scalar.boolean;
    fields_error(fields, node->position, "wrong-type", "%s must be true or false", key);
    return fallback;
}

bool fields_integer(struct fields *fields, const struct yaml_node *map, const char *key,
                    int64_t least, int64_t greatest, int64_t *value)
{
    const struct yaml_node *node = get_typed(fields, map, key, YAML_NODE_SCALAR, "number");
    struct scalar scalar;

    if (!node)
        return false;
    scalar = scalar_read(node);
    if (scalar.type != SCALAR_INTEGER) {
        fields_error(fields, node->position, "wrong-type", "%s must be a whole number%s", key,
                     node->plain ? "" : " without quotes");
        return false;
    }
    if (scalar.integer < least || scalar.integer > greatest) {
        fields_error(fields, node->position, "bad-value",
                     "%s must be from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, key, least,
                     greatest);
        return false;
    }
    *value = scalar.integer;
    return true;
}

const struct yaml_node *fields_next_map(struct fields *fields, const struct yaml_node **iterator,
                                        const char *key)
{
    while (*iterator) {
        const struct yaml_node *element = *iterator;

        *iterator = element->next;
        if (element->type == YAML_NODE_MAP)
            return element;
        if (!scalar_is_null(element))
            fields_error(fields, element->position, "wrong-type",
                         "the elements of %s must be mappings", key);
    }
    return NULL;
}

bool dns_subdomain_is_valid(const char *text)
{
    char before = '.';
    size_t length = 0;

    /* may be longer than 63: the name of a pod need not be a DNS label */
    for (; *text; before = *text, text++, length++) {
        bool alphanumeric = g_ascii_islower(*text) || g_ascii_isdigit(*text);

        if (!alphanumeric && *text != '-' && *text != '.')
            return false;
        if ((before == '.' && !alphanumeric) || (before == '-' && *text == '.'))
            return false;
    }
    return length >= 1 && length <= 253 && before != '.' && before != '-';
}
