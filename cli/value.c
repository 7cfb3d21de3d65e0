/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading the daemon's lines of JSON. The daemon is trusted to keep to its contract, but not relied
 * on: what is missing is absent, not an error.
 */
#include "value.h"

#include "lib/util/json_tree.h"

yajl_val value_parse(const char *line)
{
    return json_tree_parse(line);
}

void value_release(yajl_val *valuep)
{
    yajl_tree_free(*valuep);
    *valuep = NULL;
}

yajl_val value_get(yajl_val object, const char *key)
{
    const char *path[] = {key, NULL};
    return object ? yajl_tree_get(object, path, yajl_t_any) : NULL;
}

const char *value_text(yajl_val object, const char *key)
{
    yajl_val value = value_get(object, key);
    return YAJL_GET_STRING(value);
}

const char *value_text_or(yajl_val object, const char *key, const char *otherwise)
{
    const char *text = value_text(object, key);
    return text ? text : otherwise;
}

bool value_is(yajl_val object, const char *key, const char *text)
{
    return g_strcmp0(value_text(object, key), text) == 0;
}

int64_t value_number(yajl_val object, const char *key)
{
    yajl_val value = value_get(object, key);
    if (YAJL_IS_INTEGER(value))
        return YAJL_GET_INTEGER(value);
    return YAJL_IS_DOUBLE(value) ? (int64_t)YAJL_GET_DOUBLE(value) : 0;
}

bool value_bool(yajl_val object, const char *key)
{
    yajl_val value = value_get(object, key);
    return YAJL_IS_TRUE(value);
}

size_t value_length(yajl_val object, const char *key)
{
    yajl_val value = value_get(object, key);
    return YAJL_IS_ARRAY(value) ? value->u.array.len : 0;
}

yajl_val value_element(yajl_val object, const char *key, size_t index)
{
    yajl_val value = value_get(object, key);
    return YAJL_IS_ARRAY(value) && index < value->u.array.len ? value->u.array.values[index] : NULL;
}

const char *value_element_text(yajl_val object, const char *key, size_t index)
{
    yajl_val value = value_element(object, key, index);
    return YAJL_GET_STRING(value);
}

char *value_joined(yajl_val object, const char *key, const char *separator)
{
    yajl_val value = value_get(object, key);
    GString *out = g_string_new(NULL);
    size_t n = YAJL_IS_ARRAY(value)    ? value->u.array.len
               : YAJL_IS_OBJECT(value) ? value->u.object.len
                                       : 0;
    for (size_t i = 0; i < n; i++) {
        bool array = YAJL_IS_ARRAY(value);
        yajl_val item = array ? value->u.array.values[i] : value->u.object.values[i];
        if (out->len > 0)
            g_string_append(out, separator);
        if (!array)
            g_string_append_printf(out, "%s=", value->u.object.keys[i]);
        if (YAJL_IS_STRING(item))
            g_string_append(out, YAJL_GET_STRING(item));
        else if (YAJL_IS_NUMBER(item))
            g_string_append(out, YAJL_GET_NUMBER(item));
    }
    return g_string_free(out, FALSE);
}

GPtrArray *value_addresses(yajl_val object)
{
    GPtrArray *addresses = g_ptr_array_new_with_free_func(g_free);
    const char *const keys[] = {"inet", "inet6"};
    for (size_t k = 0; k < G_N_ELEMENTS(keys); k++)
        for (size_t i = 0; i < value_length(object, keys[k]); i++) {
            const char *address = value_element_text(object, keys[k], i);
            if (address)
                g_ptr_array_add(addresses, g_strdup(address));
        }
    return addresses;
}

yajl_val value_setting(yajl_val config, const char *key)
{
    for (size_t i = 0; i < value_length(config, "settings"); i++) {
        yajl_val setting = value_element(config, "settings", i);
        if (value_is(setting, "key", key))
            return setting;
    }
    return NULL;
}

char *value_place(yajl_val place)
{
    const char *file = value_text(place, "file");
    if (!file)
        return NULL;
    if (!value_get(place, "line"))
        return g_strdup(file);
    return g_strdup_printf("%s:%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT, file,
                           value_number(place, "line"), value_number(place, "column"));
}

char *value_position(yajl_val object, const char *key)
{
    return value_place(value_get(object, key));
}
