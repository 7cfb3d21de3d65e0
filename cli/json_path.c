/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Templates are small, and parsed again for every value.
 */
#include "json_path.h"

#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "text.h"
#include "value.h"

static const char *const flat[] = {"metadata", "spec", "status", NULL};

/* What kubectl calls otherwise. */
static yajl_val known_as(yajl_val object, const char *key)
{
    static char none[] = "None";
    static struct yajl_val_s headless = {.type = yajl_t_string, .u.string = none};
    if (strcmp(key, "clusterIP") == 0)
        return value_bool(object, "headless") ? &headless : value_element(object, "clusterIPs", 0);
    if (strcmp(key, "podIP") == 0)
        return value_element(object, "addresses", 0);
    return g_strv_contains(flat, key) ? object : NULL;
}

static void add_all(GPtrArray *out, yajl_val value)
{
    for (size_t i = 0; YAJL_IS_ARRAY(value) && i < value->u.array.len; i++)
        g_ptr_array_add(out, value->u.array.values[i]);
    for (size_t i = 0; YAJL_IS_OBJECT(value) && i < value->u.object.len; i++)
        g_ptr_array_add(out, value->u.object.values[i]);
}

static void add_key(GPtrArray *out, yajl_val value, const char *key)
{
    yajl_val found = value_get(value, key);
    if (!found && YAJL_IS_OBJECT(value))
        found = known_as(value, key);
    if (found)
        g_ptr_array_add(out, found);
}

static void add_index(GPtrArray *out, yajl_val value, long index)
{
    if (!YAJL_IS_ARRAY(value))
        return;
    if (index < 0)
        index += (long)value->u.array.len;
    if (index >= 0 && (size_t)index < value->u.array.len)
        g_ptr_array_add(out, value->u.array.values[index]);
}

/* One step of all values; `key` NULL: all there are. */
static GPtrArray *step(GPtrArray *from, const char *key, const long *index)
{
    GPtrArray *to = g_ptr_array_new();
    for (guint i = 0; i < from->len; i++)
        if (index)
            add_index(to, from->pdata[i], *index);
        else if (key)
            add_key(to, from->pdata[i], key);
        else
            add_all(to, from->pdata[i]);
    g_ptr_array_unref(from);
    return to;
}

/* "name" up to the next step, in which a backslash takes a '.' or '[' for itself. */
static char *take_name(const char **pathp)
{
    GString *name = g_string_new(NULL);
    const char *path = *pathp;
    for (; *path && *path != '.' && *path != '['; path++) {
        if (*path == '\\' && path[1])
            path++;
        g_string_append_c(name, *path);
    }
    *pathp = path;
    return g_string_free(name, FALSE);
}

/* "[0]", "[-1]", "[*]", "['name']"; false for anything else. */
static bool take_brackets(GPtrArray **valuesp, const char **pathp)
{
    const char *inside = *pathp + 1, *end = strchr(inside, ']');
    char *after;
    if (*inside == '\'' || *inside == '"') {
        const char *quote = strchr(inside + 1, *inside);
        if (!quote || quote[1] != ']')
            return false;
        g_autofree char *key = g_strndup(inside + 1, (gsize)(quote - inside - 1));
        *valuesp = step(*valuesp, key, NULL);
        *pathp = quote + 2;
        return true;
    }
    if (!end)
        return false;
    long index = strtol(inside, &after, 10);
    if (strncmp(inside, "*]", 2) == 0)
        *valuesp = step(*valuesp, NULL, NULL);
    else if (after == end && after > inside)
        *valuesp = step(*valuesp, NULL, &index);
    else
        return false;
    *pathp = end + 1;
    return true;
}

static bool take_step(GPtrArray **valuesp, const char **pathp)
{
    if (**pathp == '[')
        return take_brackets(valuesp, pathp);
    if (**pathp != '.')
        return false;
    ++*pathp;
    if (**pathp == '[')
        return true;
    g_autofree char *name = take_name(pathp);
    if (*name == '\0')
        return **pathp == '\0'; /* "." is the value itself */
    *valuesp = step(*valuesp, strcmp(name, "*") == 0 ? NULL : name, NULL);
    return true;
}

GPtrArray *json_path_find(yajl_val root, const char *path)
{
    GPtrArray *values = g_ptr_array_new();
    g_ptr_array_add(values, root);
    if (*path == '$' || *path == '@')
        path++;
    while (*path)
        if (!take_step(&values, &path)) {
            g_ptr_array_unref(values);
            return NULL;
        }
    return values;
}

static void append_value(GString *out, yajl_val value)
{
    g_autofree char *clean = NULL;
    if (!value)
        return;
    if (YAJL_IS_STRING(value))
        clean = text_clean(YAJL_GET_STRING(value));
    if (clean)
        g_string_append(out, clean);
    else if (!YAJL_IS_NULL(value))
        json_text_append_line(out, value);
}

char *json_path_text(yajl_val root, const char *path, const char *separator)
{
    g_autoptr(GPtrArray) values = json_path_find(root, path);
    if (!values)
        return NULL;
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < values->len; i++) {
        g_string_append(out, i > 0 ? separator : "");
        append_value(out, values->pdata[i]);
    }
    return g_string_free(out, FALSE);
}

/* The text of a pair of braces, or NULL; *textp is then behind them. */
static char *take_braces(const char **textp)
{
    const char *end = *textp + 1;
    for (char quote = 0; *end && (quote || *end != '}'); end++) {
        if (*end == '\\' && end[1])
            end++;
        else if (quote ? *end == quote : *end == '"' || *end == '\'')
            quote = quote ? 0 : *end;
    }
    if (!*end)
        return NULL;
    char *inside = g_strstrip(g_strndup(*textp + 1, (gsize)(end - *textp - 1)));
    *textp = end + 1;
    return inside;
}

/* After the {end} that belongs to a {range}; NULL if there is none. */
static const char *find_end(const char *text)
{
    unsigned depth = 1;
    while ((text = strchr(text, '{'))) {
        g_autofree char *inside = take_braces(&text);
        if (!inside)
            return NULL;
        if (g_str_has_prefix(inside, "range "))
            depth++;
        else if (strcmp(inside, "end") == 0 && --depth == 0)
            return text;
    }
    return NULL;
}

static const char *fill(GString *out, yajl_val root, const char *text, const char **wrong);

static bool fill_range(GString *out, yajl_val root, const char *path, const char *body,
                       const char **wrong)
{
    g_autoptr(GPtrArray) values = json_path_find(root, path);
    if (!values)
        return false;
    g_autoptr(GString) tried = g_string_new(NULL); /* what is wrong is wrong with nothing, too */
    if (values->len == 0)
        return fill(tried, NULL, body, wrong);
    for (guint i = 0; i < values->len; i++)
        if (!fill(out, values->pdata[i], body, wrong))
            return false;
    return true;
}

/* One expression, which ends before `after`; returns where the text continues, NULL if
 * malformed. */
static const char *fill_braces(GString *out, yajl_val root, const char *inside, const char *after,
                               const char **wrong)
{
    size_t length = strlen(inside);
    if (length >= 2 && (*inside == '"' || *inside == '\'') && inside[length - 1] == *inside) {
        g_autofree char *quoted = g_strndup(inside + 1, length - 2);
        g_autofree char *text = g_strcompress(quoted);
        g_string_append(out, text);
        return after;
    }
    if (g_str_has_prefix(inside, "range ")) {
        const char *end = find_end(after);
        g_autofree char *path = g_strstrip(g_strdup(inside + strlen("range ")));
        return end && fill_range(out, root, path, after, wrong) ? end : NULL;
    }
    g_autofree char *text = json_path_text(root, inside, " ");
    if (!text)
        return NULL;
    g_string_append(out, text);
    return after;
}

/* Up to an {end} or the end; NULL if something is wrong, which *wrong is then set to. */
static const char *fill(GString *out, yajl_val root, const char *text, const char **wrong)
{
    while (*text) {
        const char *brace = strchrnul(text, '{');
        g_string_append_len(out, text, brace - text);
        text = brace;
        if (!*text)
            break;
        g_autofree char *inside = take_braces(&text);
        if (inside && strcmp(inside, "end") == 0)
            return brace;
        const char *next = inside ? fill_braces(out, root, inside, text, wrong) : NULL;
        if (!next) {
            *wrong = *wrong ? *wrong : brace;
            return NULL;
        }
        text = next;
    }
    return text;
}

char *json_path_render(yajl_val root, const char *template, const char **wrong)
{
    g_autoptr(GString) out = g_string_new(NULL);
    *wrong = NULL;
    const char *end = fill(out, root, template, wrong);
    if (end && *end)
        *wrong = end; /* an {end} without a {range} */
    return *wrong ? NULL : g_strdup(out->str);
}
