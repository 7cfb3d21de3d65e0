/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fields that do not exist, where they are near to one that does, by the reader's table of the
 * API's fields. A key that is near to nothing is left alone, because the API grows faster than that
 * table.
 */
#include "lint.h"

#include <string.h>

#include "lib/manifest/schema.h"
#include "lib/util/suggest.h"

static unsigned tolerance(const char *key)
{
    size_t length = strlen(key);
    return length > 5 ? 2 : length > 3 ? 1 : 0;
}

/* Where a key that is no field here is one below: the indentation is wrong. */
static const char *below(const struct schema_field *level, const char *key)
{
    for (; level->name; level++)
        if (level->level && schema_find(level->level, key))
            return level->name;
    return NULL;
}

static const char *nearest(const struct schema_field *level, const char *key)
{
    unsigned best = tolerance(key) + 1;
    const char *found = NULL;
    for (; level->name; level++) {
        unsigned distance = suggest_distance(key, level->name);
        if (distance < best) {
            best = distance;
            found = level->name;
        }
    }
    return found;
}

static void judge(struct lint_record *record, const struct schema_field *level,
                  const struct yaml_node *child)
{
    if (child->merged || schema_find(level, child->key))
        return;
    const char *meant = nearest(level, child->key);
    const char *place = meant ? NULL : below(level, child->key);
    if (meant)
        lint_record_warn(record, "unknown-field", child->key_position,
                         "unknown field %s, which has no effect; did you mean %s?", child->key,
                         meant);
    else if (place)
        lint_record_warn(record, "unknown-field", child->key_position,
                         "misplaced field %s, which has no effect here; it belongs in %s",
                         child->key, place);
}

static void walk(struct lint_record *record, const struct schema_field *level,
                 const struct yaml_node *map)
{
    for (const struct yaml_node *child = map->first; child; child = child->next) {
        const struct schema_field *field = schema_find(level, child->key);
        judge(record, level, child);
        if (!field || !field->level)
            continue;
        if (child->type == YAML_NODE_MAP)
            walk(record, field->level, child);
        for (const struct yaml_node *element = child->type == YAML_NODE_LIST ? child->first : NULL;
             element; element = element->next)
            if (element->type == YAML_NODE_MAP)
                walk(record, field->level, element);
    }
}

void lint_fields(struct lint_record *record, const struct yaml_node *root)
{
    walk(record, schema_of((enum object_kind)record->object->kind), root);
}
