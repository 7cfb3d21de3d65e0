/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks an object's tree against the table of the API's fields: types, required fields, values,
 * ranges. The reader's own diagnostics about a field come first and are not repeated here, because
 * they are more specific.
 */
#include <string.h>

#include "lib/yaml/scalar.h"
#include "schema.h"

struct check {
    struct fields *fields;
    guint first, end; /* the reader's diagnostics about the object */
};

struct schema_place { /* the current mapping, for messages; enclosing ones are on the stack, too */
    const struct schema_place *around;
    const char *key;
    const struct yaml_node *map;
};

static void append_path(GString *text, const struct schema_place *place)
{
    if (!place->around)
        return;
    append_path(text, place->around);
    g_string_append_printf(text, "%s.", place->key);
}

static bool is_reported(const struct check *check, struct position position, const char *rule)
{
    const GPtrArray *diagnostics = check->fields->diagnostics;

    for (guint i = check->first; i < check->end; i++) {
        const struct diagnostic *diagnostic = diagnostics->pdata[i];

        if (diagnostic->line == position.line && diagnostic->column == position.column &&
            g_strcmp0(diagnostic->rule, rule) == 0)
            return true;
    }
    return false;
}

/* "spec.ports.port", of a field about which this is to be reported, free with g_free; NULL: not
 * again. Of a duplicate key the last counts, and a merged one counts only if there is no other. */
static char *path_to_report(const struct check *check, const struct schema_place *place,
                            const char *key, const struct yaml_node *child,
                            struct position position, const char *rule)
{
    GString *path;

    check->fields->refused = true;
    if ((child && yaml_node_get(place->map, child->key) != child) ||
        is_reported(check, position, rule))
        return NULL;
    path = g_string_new(NULL);
    append_path(path, place);
    g_string_append(path, key);
    return g_string_free(path, FALSE);
}

static bool is_string(const struct yaml_node *node)
{
    return node->omitted || (node->type == YAML_NODE_SCALAR && scalar_is_text(node));
}

static bool is_integer(const struct yaml_node *node)
{
    return node->type == YAML_NODE_SCALAR && scalar_read(node).type == SCALAR_INTEGER;
}

/* The expected type, if it is another. */
static const char *mismatch(const struct schema_field *field, const struct yaml_node *node)
{
    switch (field->type) {
    case SCHEMA_ANY: return NULL;
    case SCHEMA_STRING: return is_string(node) ? NULL : "a string";
    case SCHEMA_BOOLEAN:
        if (node->type == YAML_NODE_SCALAR && scalar_read(node).type == SCALAR_BOOL)
            return NULL;
        return "true or false";
    case SCHEMA_INTEGER: return is_integer(node) ? NULL : "a whole number";
    case SCHEMA_INTEGER_OR_STRING:
        return is_integer(node) || is_string(node) ? NULL : "a whole number or a string";
    case SCHEMA_MAP: return node->type == YAML_NODE_MAP ? NULL : "a mapping";
    case SCHEMA_MAPS: return node->type == YAML_NODE_LIST ? NULL : "a list of mappings";
    case SCHEMA_STRINGS: return node->type == YAML_NODE_LIST ? NULL : "a list of strings";
    case SCHEMA_STRING_MAP: return node->type == YAML_NODE_MAP ? NULL : "a mapping of strings";
    }
    return NULL;
}

/* `node` is the child itself or an element of it. */
static void refuse_type(const struct check *check, const struct schema_place *place,
                        const struct schema_field *field, const struct yaml_node *child,
                        const struct yaml_node *node, const char *wanted)
{
    g_autofree char *path =
        path_to_report(check, place, field->name, child, node->position, "wrong-type");
    bool quote = node->type == YAML_NODE_SCALAR && node->plain && field->type == SCHEMA_STRING;

    if (path)
        fields_refuse(check->fields, node->position, "wrong-type", "%s must be %s%s", path, wanted,
                      quote ? ": quote it" : "");
}

/* Elements of a list of strings, or values of a mapping of strings: null stands for "". */
static void check_strings(const struct check *check, const struct schema_place *place,
                          const struct schema_field *field, const struct yaml_node *child)
{
    for (const struct yaml_node *item = child->first; item; item = item->next) {
        g_autofree char *path = NULL;

        if (is_string(item) || scalar_is_null(item))
            continue;
        path = path_to_report(check, place, field->name, child, item->position, "wrong-type");
        if (path)
            fields_refuse(check->fields, item->position, "wrong-type",
                          "each %s of %s must be a string%s",
                          field->type == SCHEMA_STRINGS ? "element" : "value", path,
                          item->type == YAML_NODE_SCALAR ? ": quote it" : "");
    }
}

static void check_value(const struct check *check, const struct schema_place *place,
                        const struct schema_field *field, const struct yaml_node *child)
{
    g_autofree char *path = NULL, *values = NULL;
    int64_t number;

    if (field->values) {
        if (*child->text == '\0' || g_strv_contains(field->values, child->text))
            return;
        path = path_to_report(check, place, field->name, child, child->position, "bad-value");
        if (!path)
            return;
        values = g_strjoinv(", ", (char **)(uintptr_t)field->values);
        fields_refuse(check->fields, child->position, "bad-value", "%s must be one of %s", path,
                      values);
        return;
    }
    if (field->greatest == 0)
        return;
    number = scalar_read(child).integer;
    if (number >= field->least && number <= field->greatest)
        return;
    path = path_to_report(check, place, field->name, child, child->position, "bad-value");
    if (path)
        fields_refuse(check->fields, child->position, "bad-value", "%s must be from %d to %d", path,
                      field->least, field->greatest);
}

static void check_map(const struct check *check, const struct schema_place *place,
                      const struct schema_field *level);

static void check_field(const struct check *check, const struct schema_place *place,
                        const struct schema_field *field, const struct yaml_node *child)
{
    struct schema_place inner = {.around = place, .key = field->name, .map = child};
    const char *wanted = mismatch(field, child);

    if (wanted) {
        refuse_type(check, place, field, child, child, wanted);
        return;
    }
    if (field->type == SCHEMA_STRINGS || field->type == SCHEMA_STRING_MAP)
        check_strings(check, place, field, child);
    else if (field->type == SCHEMA_STRING || field->type == SCHEMA_INTEGER)
        check_value(check, place, field, child);
    else if (field->type == SCHEMA_MAP && field->level)
        check_map(check, &inner, field->level);
    for (const struct yaml_node *item = field->type == SCHEMA_MAPS ? child->first : NULL; item;
         item = item->next) {
        inner.map = item;
        if (item->type == YAML_NODE_MAP && field->level)
            check_map(check, &inner, field->level);
        else if (item->type != YAML_NODE_MAP && !scalar_is_null(item))
            refuse_type(check, place, field, child, item, "a mapping");
    }
}

bool schema_is_there(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_node_get(map, key);

    if (!node || scalar_is_null(node))
        return false;
    if (node->type == YAML_NODE_SCALAR)
        return node->length > 0;
    return node->type == YAML_NODE_MAP || node->first;
}

static void check_required(const struct check *check, const struct schema_place *place,
                           const struct schema_field *field)
{
    g_autofree char *path = NULL;

    if (!field->required || schema_is_there(place->map, field->name))
        return;
    path = path_to_report(check, place, field->name, NULL, place->map->position, "missing-field");
    if (path)
        fields_refuse(check->fields, place->map->position, "missing-field", "%s is missing", path);
}

static void check_map(const struct check *check, const struct schema_place *place,
                      const struct schema_field *level)
{
    for (const struct yaml_node *child = place->map->first; child; child = child->next) {
        const struct schema_field *field = schema_find(level, child->key);

        if (field && !scalar_is_null(child))
            check_field(check, place, field, child);
    }
    for (const struct schema_field *field = level; field->name; field++)
        check_required(check, place, field);
}

void schema_check(struct fields *fields, const struct yaml_node *root, enum object_kind kind,
                  guint first)
{
    const struct check check = {.fields = fields, .first = first, .end = fields->diagnostics->len};
    const struct schema_place place = {.map = root};
    const struct schema_field *level = schema_of(kind);

    if (level && root->type == YAML_NODE_MAP)
        check_map(&check, &place, level);
}
